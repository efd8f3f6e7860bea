import type { SeatKeeper } from "../../core/tally-table.ts";
import { RecordLocks } from "../../sys/record-locks.ts";

/** The byte whose lock it is to change what seats and rows there are; those of the seats follow. */
const ALONE = 0;

/** Seats by locks of the memory's own descriptor: the kernel knows who lives, and forgets nobody's death. */
export function seatsBy(fd: number): SeatKeeper {
  const locks = new RecordLocks(fd);
  return {
    alone: (run) => {
      locks.wait(ALONE);
      try {
        return run();
      } finally {
        locks.release(ALONE);
      }
    },
    sit: (seat) => locks.take(1 + seat),
    sits: (seat) => locks.isTaken(1 + seat),
  };
}
