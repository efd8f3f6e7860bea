// One side of libudt's own test program, whose two sides are threads of one process. Ours is the other.
//
//   half server|client 1|2|3|4 PORT
//
// Its server listens at PORT; where both meet halfway the server has fifty ports from there on, and the client the
// fifty behind them. build.ts puts port_at(…) where the program has numbers.
#include <cstdlib>
#include <set>
#include <vector>

static int first_port;
static int port_at(int place) { return first_port + place; }

#define main all_of_it
#include SAMPLE
#undef main

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  void* (*servers[])(void*) = {Test_1_Srv, Test_2_Srv, Test_3_Srv, Test_4_Srv};
  void* (*clients[])(void*) = {Test_1_Cli, Test_2_Cli, Test_3_Cli, Test_4_Cli};
  int which = atoi(argv[2]) - 1;
  if (which < 0 || which > 3) return 2;
  first_port = atoi(argv[3]);
  UDT::startup();
  (strcmp(argv[1], "server") == 0 ? servers : clients)[which](nullptr);
  UDT::cleanup();
  return 0;
}
