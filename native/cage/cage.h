/* The cage of the Python SDK's decode worker: what a process gives up for good.
 *
 * Linux on x86-64 and aarch64; elsewhere doorsill_cage_missing names what is not there. It is
 * compiled into the Python extension alone: the C core has no decoder to lock up. Nothing but
 * the kernel's own numbers is used, so no library has to be there on a user's machine.
 */
#ifndef DOORSILL_CAGE_H
#define DOORSILL_CAGE_H

#include <stddef.h>

/* [cdef] */

/* Each restriction can be left out, so that a test can show that its probe would notice. */
enum {
  DOORSILL_CAGE_SOCKET = 1,      /* sockets and io_uring: the process is killed */
  DOORSILL_CAGE_OPEN = 2,        /* opening any file: EPERM */
  DOORSILL_CAGE_FORK = 4,        /* new processes: EPERM; threads may start */
  DOORSILL_CAGE_EXEC = 8,        /* other programs: the process is killed */
  DOORSILL_CAGE_KILL = 16,       /* signals, to whomever: EPERM */
  DOORSILL_CAGE_PTRACE = 32,     /* looking into other processes: the process is killed */
  DOORSILL_CAGE_EXECUTABLE = 64, /* memory that can be run: EPERM */
  DOORSILL_CAGE_PATHS = 128,     /* Landlock with nothing allowed, a second lock on all files */
  DOORSILL_CAGE_MEMORY = 256,    /* the address space; a resource limit that Python sets */
  DOORSILL_CAGE_EVERYTHING = 511
};

/* Returns what this system lacks for a cage, in a few words, or NULL. */
const char *doorsill_cage_missing(void);

/* Enters the cage, for good, with the given restrictions. All system calls that decoding does
 * not need are refused, whatever is left out. The calling thread must be the only one.
 * Returns 0 or an errno. */
int doorsill_cage_enter(unsigned restrictions);

/* Tries what one restriction forbids. Returns the errno with which the kernel refused, or 0
 * where it let it pass; does not return where the process is killed for it. `size` is the
 * number of bytes to ask for, for DOORSILL_CAGE_MEMORY. */
int doorsill_cage_try(unsigned restriction, size_t size);

/* [/cdef] */

#endif
