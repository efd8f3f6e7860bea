// libudt as the other end of our tests: what its own samples do not do.
//
//   peer echo PORT                              listen, send back what comes, until the other closes
//   peer send HOST PORT BYTES [MBPS]            connect, send the pattern (at a fixed rate), close
//   peer receive PORT                           listen, take one connection, check the pattern, say how much
//   peer say HOST PORT COUNT SIZE ORDERED TTL   messages: the number, then the pattern
//   peer hear PORT                              messages: say the number and length of each
//   peer meet LOCAL HOST PORT BYTES             rendezvous: send the pattern, and check as much of it
#include <arpa/inet.h>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <netinet/in.h>
#include <string>
#include <thread>
#include <udt/ccc.h>
#include <udt/udt.h>
#include <unistd.h>
#include <vector>

static const int PIECE = 100000;

static char pattern(int64_t i) { return (char)(i * 7 + (i >> 8) * 13); }

static void check(int result, const char* what) {
  if (result != UDT::ERROR) return;
  fprintf(stderr, "%s: %s\n", what, UDT::getlasterror().getErrorMessage());
  _exit(1);
}

static sockaddr_in at(const char* host, int port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  inet_pton(AF_INET, host, &a.sin_addr);
  return a;
}

static UDTSOCKET bound(int type, int port) {
  UDTSOCKET s = UDT::socket(AF_INET, type, 0);
  sockaddr_in a = at("0.0.0.0", port);
  check(UDT::bind(s, (sockaddr*)&a, sizeof a), "bind");
  return s;
}

static UDTSOCKET accepted(int type, int port) {
  UDTSOCKET l = bound(type, port);
  check(UDT::listen(l, 10), "listen");
  puts("ready");
  fflush(stdout);
  UDTSOCKET s = UDT::accept(l, nullptr, nullptr);
  if (s == UDT::INVALID_SOCK) check(UDT::ERROR, "accept");
  return s;
}

class Fixed : public CCC {
public:
  Fixed() {
    m_dPktSndPeriod = 1000;
    m_dCWndSize = 83333.0;
  }
  void rate(double mbps) { m_dPktSndPeriod = m_iMSS * 8.0 / mbps; }
};

static void send_pattern(UDTSOCKET s, int64_t bytes) {
  std::vector<char> piece(PIECE);
  for (int64_t sent = 0; sent < bytes;) {
    int n = (int)std::min<int64_t>(PIECE, bytes - sent);
    for (int i = 0; i < n; i++) piece[i] = pattern(sent + i);
    for (int at = 0; at < n;) {
      int did = UDT::send(s, piece.data() + at, n - at, 0);
      check(did, "send");
      at += did;
    }
    sent += n;
  }
}

/** How much came, until the other closed or `most` is there. */
static int64_t receive_pattern(UDTSOCKET s, int64_t most) {
  std::vector<char> piece(PIECE);
  int64_t got = 0;
  while (got < most) {
    int n = UDT::recv(s, piece.data(), (int)std::min<int64_t>(PIECE, most - got), 0);
    if (n == UDT::ERROR) break;
    for (int i = 0; i < n; i++)
      if (piece[i] != pattern(got + i)) {
        fprintf(stderr, "byte %lld is wrong\n", (long long)(got + i));
        _exit(1);
      }
    got += n;
  }
  return got;
}

int main(int argc, char** argv) {
  std::string what = argc > 1 ? argv[1] : "";
  auto number = [&](int i) { return argc > i ? atoll(argv[i]) : 0; };
  UDT::startup();
  if (what == "echo") {
    UDTSOCKET s = accepted(SOCK_STREAM, number(2));
    std::vector<char> piece(PIECE);
    for (int n; (n = UDT::recv(s, piece.data(), PIECE, 0)) > 0;)
      for (int at = 0; at < n;) {
        int did = UDT::send(s, piece.data() + at, n - at, 0);
        check(did, "send");
        at += did;
      }
    UDT::close(s);
  } else if (what == "send") {
    UDTSOCKET s = UDT::socket(AF_INET, SOCK_STREAM, 0);
    double mbps = number(5);
    if (mbps > 0) {
      auto* factory = new CCCFactory<Fixed>;
      check(UDT::setsockopt(s, 0, UDT_CC, factory, sizeof *factory), "cc");
    }
    sockaddr_in to = at(argv[2], number(3));
    check(UDT::connect(s, (sockaddr*)&to, sizeof to), "connect");
    if (mbps > 0) {
      Fixed* cc = nullptr;
      int size = sizeof cc;
      check(UDT::getsockopt(s, 0, UDT_CC, &cc, &size), "cc");
      cc->rate(mbps);
    }
    send_pattern(s, number(4));
    check(UDT::close(s), "close");
    puts("sent");
  } else if (what == "receive") {
    UDTSOCKET s = accepted(SOCK_STREAM, number(2));
    printf("%lld\n", (long long)receive_pattern(s, INT64_MAX));
    UDT::close(s);
  } else if (what == "say") {
    UDTSOCKET s = UDT::socket(AF_INET, SOCK_DGRAM, 0);
    sockaddr_in to = at(argv[2], number(3));
    check(UDT::connect(s, (sockaddr*)&to, sizeof to), "connect");
    int size = number(5);
    std::vector<char> message(size);
    for (int i = 0; i < size; i++) message[i] = pattern(i);
    for (uint32_t i = 0; i < number(4); i++) {
      uint32_t network = htonl(i);
      memcpy(message.data(), &network, 4);
      check(UDT::sendmsg(s, message.data(), size, number(7) ? number(7) : -1, number(6) != 0), "sendmsg");
    }
    check(UDT::close(s), "close");
    puts("said");
  } else if (what == "hear") {
    UDTSOCKET s = accepted(SOCK_DGRAM, number(2));
    std::vector<char> message(1 << 20);
    for (int n; (n = UDT::recvmsg(s, message.data(), message.size())) > 0;) {
      uint32_t network;
      memcpy(&network, message.data(), 4);
      for (int i = 4; i < n; i++)
        if (message[i] != pattern(i)) return fprintf(stderr, "message %u is wrong\n", ntohl(network)), 1;
      printf("%u %d\n", ntohl(network), n);
    }
    UDT::close(s);
  } else if (what == "meet") {
    UDTSOCKET s = UDT::socket(AF_INET, SOCK_STREAM, 0);
    bool yes = true;
    check(UDT::setsockopt(s, 0, UDT_RENDEZVOUS, &yes, sizeof yes), "rendezvous");
    sockaddr_in own = at("127.0.0.1", number(2));
    check(UDT::bind(s, (sockaddr*)&own, sizeof own), "bind");
    sockaddr_in to = at(argv[3], number(4));
    check(UDT::connect(s, (sockaddr*)&to, sizeof to), "connect");
    std::thread sender([&] { send_pattern(s, number(5)); });
    printf("%lld\n", (long long)receive_pattern(s, number(5)));
    sender.join();
    UDT::close(s);
  } else {
    return 2;
  }
  fflush(stdout);
  UDT::cleanup();
  return 0;
}
