#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "cage.h"

#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__)) && !defined(__ILP32__)

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __x86_64__
#define THIS_ARCH AUDIT_ARCH_X86_64
#define FIRST_X32_CALL 0x40000000u
#else
#define THIS_ARCH AUDIT_ARCH_AARCH64
#endif

/* Kernel numbers that are one on all architectures, for headers that are older than the kernel. */
#define NR_IO_URING_SETUP 425
#define NR_CLONE3 435
#define NR_OPENAT2 437
#define NR_LANDLOCK_CREATE_RULESET 444
#define NR_LANDLOCK_RESTRICT_SELF 446
#define LANDLOCK_VERSION_FLAG 1u

/* ---- Landlock */

typedef struct ruleset {
  uint64_t files;
  uint64_t network;
  uint64_t scopes;
} ruleset;

static int landlock_version(void) {
  return (int)syscall(NR_LANDLOCK_CREATE_RULESET, NULL, 0, LANDLOCK_VERSION_FLAG);
}

/* Handles every right that this kernel knows, and grants none. */
static int forbid_paths(void) {
  const int version = landlock_version();
  if (version < 1) return errno;
  unsigned rights = 13; /* of files, in version 1; later ones added one each */
  if (version >= 2) rights = 14;
  if (version >= 3) rights = 15;
  if (version >= 5) rights = 16;
  const ruleset all = {(UINT64_C(1) << rights) - 1, version >= 4 ? 3 : 0, version >= 6 ? 3 : 0};
  const size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
  const int rules = (int)syscall(NR_LANDLOCK_CREATE_RULESET, &all, size, 0);
  if (rules < 0) return errno;
  const int failed = syscall(NR_LANDLOCK_RESTRICT_SELF, rules, 0) ? errno : 0;
  close(rules);
  return failed;
}

/* ---- seccomp */

enum { MAX_STEPS = 256 };

typedef struct program {
  struct sock_filter steps[MAX_STEPS];
  unsigned short count;
} program;

#define ALLOW SECCOMP_RET_ALLOW
#define REFUSE (SECCOMP_RET_ERRNO | EPERM)
#define UNKNOWN (SECCOMP_RET_ERRNO | ENOSYS)
#define KILL SECCOMP_RET_KILL_PROCESS

static void step(program *to, unsigned code, uint32_t value, uint8_t jump_true,
                 uint8_t jump_false) {
  if (to->count == MAX_STEPS) return; /* refused when it is installed: no answer at its end */
  to->steps[to->count++] = (struct sock_filter){(uint16_t)code, jump_true, jump_false, value};
}

static void answer(program *to, uint32_t action) { step(to, BPF_RET | BPF_K, action, 0, 0); }

static void load(program *to, size_t offset) {
  step(to, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void on_call(program *to, long number, uint32_t action) {
  step(to, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 1);
  answer(to, action);
}

static void on_calls(program *to, const int *numbers, size_t count, uint32_t action) {
  for (size_t i = 0; i < count; i++) on_call(to, numbers[i], action);
}

/* Allows a call if an argument's bits under the mask are as wanted. The low half is enough: all
 * flags that are looked at lie there, on these little-endian machines. */
static void on_call_if(program *to, long number, unsigned argument, uint32_t mask,
                       uint32_t wanted) {
  step(to, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)number, 0, 5);
  load(to, offsetof(struct seccomp_data, args) + 8 * argument);
  step(to, BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
  step(to, BPF_JMP | BPF_JEQ | BPF_K, wanted, 0, 1);
  answer(to, ALLOW);
  answer(to, REFUSE);
}

/* What decoding, CPython and threads of the codecs use; everything else is refused. None takes a
 * path, names another process or makes a descriptor. */
static const int needed[] = {
    SYS_read,
    SYS_write,
    SYS_futex,
    SYS_munmap,
    SYS_brk,
    SYS_madvise,
    SYS_mremap,
    SYS_clock_gettime,
    SYS_readv,
    SYS_writev,
    SYS_lseek,
    SYS_close,
    SYS_rt_sigreturn,
    SYS_rt_sigprocmask,
    SYS_rt_sigaction,
    SYS_sigaltstack,
    SYS_sched_yield,
    SYS_getrandom,
    SYS_gettid,
    SYS_getpid,
    SYS_exit,
    SYS_exit_group,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_restart_syscall,
    SYS_set_robust_list,
    SYS_sched_getaffinity,
    SYS_gettimeofday,
    SYS_clock_getres,
#ifdef SYS_rseq
    SYS_rseq,
#endif
};

static const int sockets[] = {
    SYS_socket,  SYS_socketpair, SYS_connect, SYS_bind,    SYS_listen,   SYS_accept,
    SYS_accept4, SYS_sendto,     SYS_sendmsg, SYS_recvmsg, SYS_recvfrom, NR_IO_URING_SETUP,
};
static const int programs[] = {SYS_execve, SYS_execveat};
static const int peeks[] = {SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev};
static const int opens[] = {SYS_openat, NR_OPENAT2};
static const int signals[] = {SYS_kill, SYS_tkill, SYS_tgkill};

#define EACH(list) list, sizeof(list) / sizeof *(list)

/* A new thread, and nothing that makes a process, a namespace or a traced child. */
#define THREAD_MASK                                                                       \
  ((uint32_t)(CLONE_THREAD | CLONE_VFORK | CLONE_PTRACE | CLONE_NEWNS | CLONE_NEWCGROUP | \
              CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET))

static void conditional_calls(program *to, unsigned restrictions) {
  const uint32_t run = restrictions & DOORSILL_CAGE_EXECUTABLE ? PROT_EXEC : 0;
  on_call_if(to, SYS_mmap, 2, run, 0);
  on_call_if(to, SYS_mprotect, 2, run, 0);
  if (restrictions & DOORSILL_CAGE_FORK) {
    on_call_if(to, SYS_clone, 0, THREAD_MASK, CLONE_THREAD);
    on_call(to, NR_CLONE3, UNKNOWN); /* its flags lie in memory; the C library then uses clone */
  } else {
    on_call(to, SYS_clone, ALLOW);
    on_call(to, NR_CLONE3, ALLOW);
  }
}

static void write_program(program *to, unsigned restrictions) {
  load(to, offsetof(struct seccomp_data, arch));
  step(to, BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCH, 1, 0);
  answer(to, KILL);
  load(to, offsetof(struct seccomp_data, nr));
#ifdef FIRST_X32_CALL
  step(to, BPF_JMP | BPF_JGE | BPF_K, FIRST_X32_CALL, 0, 1);
  answer(to, KILL);
#endif
  on_calls(to, EACH(needed), ALLOW);
  on_calls(to, EACH(sockets), restrictions & DOORSILL_CAGE_SOCKET ? KILL : ALLOW);
  on_calls(to, EACH(programs), restrictions & DOORSILL_CAGE_EXEC ? KILL : ALLOW);
  on_calls(to, EACH(peeks), restrictions & DOORSILL_CAGE_PTRACE ? KILL : ALLOW);
  on_calls(to, EACH(opens), restrictions & DOORSILL_CAGE_OPEN ? REFUSE : ALLOW);
  on_calls(to, EACH(signals), restrictions & DOORSILL_CAGE_KILL ? REFUSE : ALLOW);
  conditional_calls(to, restrictions);
  answer(to, REFUSE);
}

static int forbid_calls(unsigned restrictions) {
  program made = {.count = 0};
  write_program(&made, restrictions);
  const struct sock_fprog filter = {made.count, made.steps};
  /* SPEC_ALLOW: older kernels would otherwise slow every load down to keep secrets that this
   * process does not have. TSYNC: a thread that a library has left behind is caught as well. */
  const unsigned flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  const long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
  if (result > 0) return EBUSY; /* a thread that could not be caught */
  return result < 0 ? errno : 0;
}

/* ---- what cage.h says */

const char *doorsill_cage_missing(void) {
  uint32_t action = SECCOMP_RET_KILL_PROCESS;
  if (landlock_version() < 1) return "Landlock (Linux 5.13 or newer, and switched on)";
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action)) return "seccomp filters";
  return NULL;
}

int doorsill_cage_enter(unsigned restrictions) {
  const unsigned filtered = (unsigned)(DOORSILL_CAGE_PATHS | DOORSILL_CAGE_MEMORY);
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
      prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
    return errno;
  if (restrictions & DOORSILL_CAGE_PATHS) {
    const int failed = forbid_paths();
    if (failed) return failed;
  }
  return restrictions & ~filtered ? forbid_calls(restrictions) : 0;
}

static int try_fork(void) {
  const long child = syscall(SYS_clone, (unsigned long)SIGCHLD, NULL, NULL, NULL, NULL);
  if (child < 0) return errno;
  if (child == 0) _exit(0);
  waitpid((pid_t)child, NULL, 0);
  return 0;
}

static int try_mapping(size_t size, int protection) {
  void *memory = mmap(NULL, size, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return errno;
  munmap(memory, size);
  return 0;
}

/* Both ways to memory that can be run: asked for at once, and changed into it. */
static int try_executable(void) {
  const size_t page = 65536;
  if (!try_mapping(page, PROT_READ | PROT_WRITE | PROT_EXEC)) return 0;
  void *memory = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0; /* not shown, so not proven */
  const int refused = mprotect(memory, page, PROT_READ | PROT_EXEC) ? errno : 0;
  munmap(memory, page);
  return refused;
}

static int refusal(long result) { return result < 0 ? errno : 0; }

int doorsill_cage_try(unsigned restriction, size_t size) {
  char *const none[] = {NULL};
  switch (restriction) {
    case DOORSILL_CAGE_SOCKET:
      return refusal(syscall(SYS_socket, AF_INET, SOCK_STREAM, 0));
    case DOORSILL_CAGE_OPEN:
    case DOORSILL_CAGE_PATHS:
      return refusal(syscall(SYS_openat, AT_FDCWD, "/", O_RDONLY | O_CLOEXEC, 0));
    case DOORSILL_CAGE_FORK:
      return try_fork();
    case DOORSILL_CAGE_EXEC: /* a folder cannot be run: harmless where it is not forbidden */
      return refusal(syscall(SYS_execve, "/", none, none));
    case DOORSILL_CAGE_KILL:
      return refusal(syscall(SYS_kill, getpid(), 0));
    case DOORSILL_CAGE_PTRACE:
      return refusal(syscall(SYS_ptrace, PTRACE_TRACEME, 0, NULL, NULL));
    case DOORSILL_CAGE_EXECUTABLE:
      return try_executable();
    case DOORSILL_CAGE_MEMORY:
      return try_mapping(size, PROT_READ | PROT_WRITE);
    default:
      return 0;
  }
}

#else

const char *doorsill_cage_missing(void) { return "Linux on x86-64 or aarch64"; }

/* ENOSYS is 38 or 40 where it exists; any number but 0 says that there is no cage. */
int doorsill_cage_enter(unsigned restrictions) {
  (void)restrictions;
  return 38;
}

int doorsill_cage_try(unsigned restriction, size_t size) {
  (void)restriction;
  (void)size;
  return 0;
}

#endif
