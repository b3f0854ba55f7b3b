#include "query/internal/sandbox.h"

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fmt/format.h>

namespace pinflow::query::internal {

namespace {

Result<void> limit(int resource, const char* name, rlim_t value, rlim_t beyond = 0) {
  const rlimit both{value, value + beyond};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &both) == 0) return {};
  return fail(ErrorCode::kUnavailable, fmt::format("setting the limit of {}: {}", name, std::strerror(errno)));
}

rlim_t mapped_now() {
  std::FILE* const file = std::fopen("/proc/self/statm", "re");
  unsigned long pages = 0;
  if (file != nullptr) {
    if (std::fscanf(file, "%lu", &pages) != 1) pages = 0;
    (void)std::fclose(file);
  }
  return static_cast<rlim_t>(pages) * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE));
}

#if defined(__x86_64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr unsigned kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr unsigned kArchitecture = 0;
#endif

// The network, other programs, other processes, what opens the kernel wider than a reader of files needs, and those changes of files that
// Landlock does not see: of rights, owners, attributes and times, and by older kernels the cutting by name.
constexpr int kForbidden[] = {
    SYS_socket,
    SYS_socketpair,
    SYS_connect,
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_execve,
    SYS_execveat,
    SYS_ptrace,
    SYS_kill,
    SYS_tkill,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_pidfd_send_signal,
    SYS_pidfd_getfd,
    SYS_kcmp,
    SYS_shmget,
    SYS_shmat,
    SYS_semget,
    SYS_msgget,
    SYS_mq_open,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_open,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_setns,
    SYS_unshare,
    SYS_bpf,
    SYS_perf_event_open,
    SYS_io_uring_setup,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_userfaultfd,
    SYS_open_by_handle_at,
    SYS_init_module,
    SYS_finit_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_setuid,
    SYS_setgid,
    SYS_truncate,
    SYS_fchmod,
    SYS_fchmodat,
    SYS_fchown,
    SYS_fchownat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_utimensat,
#if defined(__x86_64__)
    SYS_fork,
    SYS_vfork,
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
#endif
};

sock_filter load(std::size_t offset) {
  return BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<unsigned>(offset));
}

sock_filter answer(unsigned action) {
  return BPF_STMT(BPF_RET | BPF_K, action);
}

// Skips `skip` instructions unless the loaded word is `value`.
sock_filter unless_equal(unsigned value, unsigned char skip) {
  return BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

// Forbids `call` unless its first argument is `value`. The kernel takes these as 32 bits, so the lower half is all there is to look at.
void allow_only_with(std::vector<sock_filter>& program, int call, unsigned value) {
  program.push_back(unless_equal(static_cast<unsigned>(call), 4));
  program.push_back(load(offsetof(seccomp_data, args)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0));
  program.push_back(answer(SECCOMP_RET_ERRNO | EPERM));
  program.push_back(answer(SECCOMP_RET_ALLOW));
}

Result<void> forbid_calls() {
  if (kArchitecture == 0) return {};
  std::vector<sock_filter> program;
  program.push_back(load(offsetof(seccomp_data, arch)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
  program.push_back(load(offsetof(seccomp_data, nr)));
#if defined(__x86_64__)
  // The calls of the x32 interface would pass a list of the other numbers.
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000U, 0, 1));
  program.push_back(answer(SECCOMP_RET_KILL_PROCESS));
#endif
  for (const int call : kForbidden) {
    program.push_back(unless_equal(static_cast<unsigned>(call), 1));
    program.push_back(answer(SECCOMP_RET_ERRNO | EPERM));
  }
  // Signals and limits are for this process alone: abort() and the C library need them.
  allow_only_with(program, SYS_tgkill, static_cast<unsigned>(::getpid()));
  allow_only_with(program, SYS_prlimit64, 0);
  // Threads may be made, processes not. The arguments of clone3 cannot be looked at: without it the C library takes clone.
  program.push_back(unless_equal(SYS_clone3, 1));
  program.push_back(answer(SECCOMP_RET_ERRNO | ENOSYS));
  program.push_back(unless_equal(SYS_clone, 3));
  program.push_back(load(offsetof(seccomp_data, args)));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0));
  program.push_back(answer(SECCOMP_RET_ERRNO | EPERM));
  program.push_back(answer(SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0 || errno == EINVAL) return {};  // EINVAL: it has none.
  return fail(ErrorCode::kUnavailable, fmt::format("giving up system calls: {}", std::strerror(errno)));
}

constexpr std::uint64_t kRead =
    std::uint64_t{LANDLOCK_ACCESS_FS_READ_FILE} | std::uint64_t{LANDLOCK_ACCESS_FS_READ_DIR};
// All rights of the first version, and those that came with later ones: to move between folders, to cut by name, to command a device.
constexpr std::uint64_t kFirst = (std::uint64_t{LANDLOCK_ACCESS_FS_MAKE_SYM} << 1U) - 1;
constexpr std::uint64_t kRefer = std::uint64_t{1} << 13U;
constexpr std::uint64_t kTruncate = std::uint64_t{1} << 14U;
constexpr std::uint64_t kDevice = std::uint64_t{1} << 15U;

// What this kernel can forbid; nothing where it has no Landlock.
std::uint64_t rights_known() {
  const long version = ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version < 1) return 0;
  return kFirst | (version >= 2 ? kRefer : 0) | (version >= 3 ? kTruncate : 0) | (version >= 5 ? kDevice : 0);
}

void allow_below(int rules, const std::filesystem::path& folder, std::uint64_t rights) {
  const int at = ::open(folder.c_str(), O_PATH | O_CLOEXEC);
  if (at < 0) return;  // Not there: nothing to read in it.
  landlock_path_beneath_attr rule{};
  rule.allowed_access = rights;
  rule.parent_fd = at;
  (void)::syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
  (void)::close(at);
}

Result<void> fence_files(const SandboxLimits& limits) {
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = rights_known();
  if (attributes.handled_access_fs == 0) return {};
  const long rules = ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes.handled_access_fs), 0);
  if (rules < 0) return fail(ErrorCode::kUnavailable, fmt::format("fencing files: {}", std::strerror(errno)));
  const int descriptor = static_cast<int>(rules);
  for (const auto& folder : limits.readable) allow_below(descriptor, folder, kRead);
  constexpr std::uint64_t kNotInScratch = std::uint64_t{LANDLOCK_ACCESS_FS_EXECUTE} | kDevice;
  if (!limits.writable.empty()) allow_below(descriptor, limits.writable, attributes.handled_access_fs & ~kNotInScratch);
  const long done = ::syscall(SYS_landlock_restrict_self, descriptor, 0);
  const int error = errno;
  (void)::close(descriptor);
  if (done == 0) return {};
  return fail(ErrorCode::kUnavailable, fmt::format("fencing files: {}", std::strerror(error)));
}

}  // namespace

Result<void> enter_sandbox(const SandboxLimits& limits) {
  TRY(limit(RLIMIT_CORE, "core dumps", 0));
  // At the first of two limits comes the signal that names it, at the second the kernel kills.
  TRY(limit(RLIMIT_CPU, "processor time", static_cast<rlim_t>(limits.cpu_seconds), 1));
  TRY(limit(RLIMIT_FSIZE, "file size", limits.file_size.count()));
  TRY(limit(RLIMIT_AS, "memory", mapped_now() + limits.memory.count()));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
    return fail(ErrorCode::kUnavailable, "the kernel does not let go of new privileges");
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  TRY(fence_files(limits));
  return forbid_calls();
}

}  // namespace pinflow::query::internal
