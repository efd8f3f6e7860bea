/**
 * Threads of a process that wait for files. A copy of a file brings four fsyncs, and file systems
 * take many of them to the disk at once.
 */
export const FILE_THREADS = 16;
