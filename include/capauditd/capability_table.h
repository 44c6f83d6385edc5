/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Every capability of Linux 5.9 and later, as libcap-ng 0.8.3 names them: one row each, in the
 * order of their numbers. Included several times, each time with CAPABILITY defined for the
 * purpose, so it has no include guard; see capability.h (struct capability_info) for what the
 * columns mean.
 *
 * `allows` follows capabilities(7) and the kernel's include/uapi/linux/capability.h. `danger` is
 * what an intruder makes of it in a container that has its own PID, network and mount namespaces, a
 * device cgroup, and the host's user namespace. `narrower` names real replacements only: never one
 * that is worse in a container than what it would replace.
 *
 * CAPABILITY(number, name, allows, danger, narrower, instead, takeover)
 */
/* clang-format off */
CAPABILITY(0, CHOWN,
	"Gives any file to any user and group.",
	"Takes over every file on a shared or hostPath volume, whoever it belongs to.",
	0,
	"fsGroup for volumes, and files that the image already gives to the right user (COPY "
	"--chown).",
	false)
CAPABILITY(1, DAC_OVERRIDE,
	"Reads, writes and executes files whatever their permissions say.",
	"Rewrites any file that a volume or a leaked descriptor makes reachable: with a hostPath "
	"volume the host's own, as root would.",
	0,
	"runAsUser with the files' owner, or fsGroup for volumes; not DAC_READ_SEARCH, which is "
	"worse in a container.",
	false)
CAPABILITY(2, DAC_READ_SEARCH,
	"Reads files and searches directories whatever their permissions say, and opens files by "
	"their handle (open_by_handle_at(2)).",
	"Opens any file of the host by guessing its handle, through any file that is mounted "
	"from the host's file system, even /etc/resolv.conf (\"shocker\"): /etc/shadow, and the "
	"kubelet's keys.",
	0,
	"runAsUser or supplementalGroups that may read what is needed, mounted read-only.",
	true)
CAPABILITY(3, FOWNER,
	"Does to any file what otherwise only its owner may: chmod, ACLs, inode flags, deletion "
	"from sticky directories.",
	"Makes any file on a shared or hostPath volume readable and writable with chmod, then "
	"reads or replaces it.",
	0,
	"runAsUser with the files' owner, or fsGroup for volumes.",
	false)
CAPABILITY(4, FSETID,
	"Keeps set-user-ID and set-group-ID bits when a file is modified, and sets set-group-ID "
	"for a foreign group.",
	"Rewrites a set-user-ID root program on a hostPath volume without its losing the bit, so "
	"that the intruder's code runs as root when anyone on the node starts it.",
	0,
	"Setting the mode bits when the image is built.",
	false)
CAPABILITY(5, KILL,
	"Sends signals to processes of any user.",
	"Stops every process of the container, and with hostPID every one of the node, security "
	"agents included.",
	0,
	"Processes that run as the same user can signal each other without it.",
	false)
CAPABILITY(6, SETGID,
	"Takes any group ID and any supplementary groups, and claims them over sockets.",
	"Joins any group, and so reaches what a group guards on a volume: files, and sockets "
	"such as docker's.",
	0,
	"runAsGroup, fsGroup and supplementalGroups, so that the program need not switch.",
	false)
CAPABILITY(7, SETUID,
	"Takes any user ID, and claims it over sockets.",
	"Becomes root, or any user whose files a volume holds, and poses as that user towards "
	"services that trust a socket's peer.",
	0,
	"runAsUser, so that the program starts as the user that it would switch to.",
	false)
CAPABILITY(8, SETPCAP,
	"Adds any capability of the bounding set to the inheritable set, drops from the bounding "
	"set, and changes securebits.",
	"Lifts securebits that are not locked, and hands what the bounding set still has, as "
	"inheritable, to a program whose file capabilities then grant it.",
	0,
	"Letting the runtime drop capabilities (drop: [\"ALL\"]) rather than the program.",
	false)
CAPABILITY(9, LINUX_IMMUTABLE,
	"Sets and clears the immutable and append-only flags of files.",
	"Clears the flag that protects logs or binaries on a volume, or plants files there that "
	"even root cannot delete until the flag is found.",
	0,
	"Mounting read-only what must not change.",
	false)
CAPABILITY(10, NET_BIND_SERVICE,
	"Binds to ports below 1024.",
	"Poses as a system service on a port that clients trust; with hostNetwork, on the node's "
	"own address.",
	0,
	"The safe sysctl net.ipv4.ip_unprivileged_port_start=0 in the pod, or a port above 1023 "
	"behind a Service.",
	false)
CAPABILITY(11, NET_BROADCAST,
	"Listens on a netlink socket to events of other network namespaces that its own knows; "
	"otherwise unused.",
	"Watches links, addresses and routes of other network namespaces come and go.",
	0,
	"Nothing: broadcast and multicast work without it.",
	false)
CAPABILITY(12, NET_ADMIN,
	"Configures interfaces, routes, firewall and traffic control, and attaches "
	"packet-processing BPF programs together with BPF.",
	"Lifts the pod's firewall and redirects its traffic past a mesh or a policy; with "
	"hostNetwork the whole node's; and reaches nf_tables and tc, where many kernel exploits "
	"start.",
	CAPABILITY_BIT(CAPABILITY_NET_RAW),
	"A CNI plugin or its chaining (istio-cni) that sets the network up from outside; safe "
	"sysctls in the pod.",
	false)
CAPABILITY(13, NET_RAW,
	"Opens raw and packet sockets, and binds to foreign addresses for transparent proxying.",
	"Forges packets: ARP, router advertisements and DNS answers to neighbours on the same "
	"bridge (CVE-2020-10749), and sniffs what reaches the interface; packet sockets had "
	"exploits too.",
	0,
	"The safe sysctl net.ipv4.ping_group_range=\"0 2147483647\" lets everybody ping.",
	false)
CAPABILITY(14, IPC_LOCK,
	"Locks any amount of memory and uses huge pages.",
	"Pins memory that the node cannot reclaim, up to the container's memory limit; without "
	"one, all of it.",
	0,
	"A higher RLIMIT_MEMLOCK from the runtime; hugepages-* resources for huge pages.",
	false)
CAPABILITY(15, IPC_OWNER,
	"Reads and changes System V shared memory, semaphores and queues of any user.",
	"Reads and alters the shared memory of the pod's other containers; with hostIPC, of the "
	"host's databases.",
	0,
	"The same user, or group permissions, for those that share the object.",
	false)
CAPABILITY(16, SYS_MODULE,
	"Loads and unloads kernel modules.",
	"Runs code of its own in the node's kernel: init_module(2) takes any module that the "
	"kernel's signature check does not refuse.",
	0,
	"Modules that the node loads at boot (/etc/modules-load.d).",
	true)
CAPABILITY(17, SYS_RAWIO,
	"Uses I/O ports, /dev/mem, /proc/kcore, model-specific registers and raw device commands.",
	"Programs the hardware past the kernel with iopl(2) or writes to physical memory, and so "
	"becomes the kernel; lockdown alone stands in the way.",
	0,
	"A device plugin that passes in the one device that is needed.",
	true)
CAPABILITY(18, SYS_CHROOT,
	"Calls chroot(2), and enters other mount namespaces together with SYS_ADMIN.",
	"Leaves a chroot that is meant to confine it; to leave a container takes a descriptor "
	"that leads outside or SYS_ADMIN as well.",
	0,
	"A container image whose root is already the right one.",
	false)
CAPABILITY(19, SYS_PTRACE,
	"Traces, reads and writes any process that it can see.",
	"With hostPID it injects code into any host process and is root on the node; without, it "
	"takes over the pod's other processes and their secrets.",
	0,
	"Debugging as the same user, as a program's parent or from an ephemeral container.",
	false)
CAPABILITY(20, SYS_PACCT,
	"Switches process accounting on and off (acct(2)).",
	"Sends the accounting of its PID namespace to a file of its choice; with hostPID it "
	"hides from the node's.",
	0,
	"Process accounting by the node.",
	false)
CAPABILITY(21, SYS_ADMIN,
	"Mounts, enters and makes namespaces, sets quotas, host name and swap, administers "
	"devices, and does most else that only root may.",
	"Owns the node: mounts a cgroup v1 hierarchy whose release_agent runs as root on the "
	"host, lifts the device cgroup and mounts the disks, reads kernel memory with BPF; "
	"nothing that confines a container is sure to hold.",
	CAPABILITY_BIT(CAPABILITY_SYSLOG) | CAPABILITY_BIT(CAPABILITY_WAKE_ALARM) |
		CAPABILITY_BIT(CAPABILITY_PERFMON) | CAPABILITY_BIT(CAPABILITY_BPF) |
		CAPABILITY_BIT(CAPABILITY_CHECKPOINT_RESTORE),
	"CSI drivers for mounts; hostUsers: false where the container needs mounts of its own.",
	true)
CAPABILITY(22, SYS_BOOT,
	"Reboots the machine and loads another kernel with kexec_load(2).",
	"Boots a kernel of its own over the running one with kexec; reboot(2) itself ends no "
	"more than the container, unless it has hostPID.",
	0,
	"A reboot coordinator that asks the node's systemd to reboot.",
	true)
CAPABILITY(23, SYS_NICE,
	"Raises priorities, sets real-time scheduling, CPU affinity and I/O class of any process.",
	"Starves the node's other work with real-time threads, which a CPU limit does not hold "
	"back.",
	0,
	"CPU requests, and the static CPU manager for whole cores.",
	false)
CAPABILITY(24, SYS_RESOURCE,
	"Exceeds resource limits, disk quotas, reserved disk space and queue limits, and lowers "
	"its own OOM score.",
	"Fills disks to the last block and has the kernel kill others for want of memory first.",
	CAPABILITY_BIT(CAPABILITY_IPC_LOCK),
	"Higher limits from the runtime (ulimits); since Linux 5.11 BPF needs no RLIMIT_MEMLOCK.",
	false)
CAPABILITY(25, SYS_TIME,
	"Sets the system clock and the hardware clock.",
	"Moves the whole node's clock, for no namespace separates it: expired certificates and "
	"tokens become valid, logs misleading.",
	0,
	"A time service on the node (chrony, systemd-timesyncd).",
	false)
CAPABILITY(26, SYS_TTY_CONFIG,
	"Hangs up terminals (vhangup(2)) and configures virtual consoles.",
	"Given a console device, remaps its keys or cuts off whoever works there.",
	0,
	NULL,
	false)
CAPABILITY(27, MKNOD,
	"Creates device nodes.",
	"Makes a node for the host's disk: the device cgroup keeps the container from opening "
	"it, but a host user with the same UID opens it through /proc/PID/root or a shared "
	"volume.",
	0,
	"A device plugin, or the runtime's --device, which put the one node in place.",
	false)
CAPABILITY(28, LEASE,
	"Takes leases on files of any user (fcntl(2) F_SETLEASE).",
	"Holds up others who open a file on a shared volume, by up to the lease-break time for "
	"each.",
	0,
	"Leases on a user's own files need no capability.",
	false)
CAPABILITY(29, AUDIT_WRITE,
	"Writes records to the kernel's audit log.",
	"Forges log-ins and other user records in the node's audit log, or floods it until real "
	"ones are lost.",
	0,
	"Logging to standard output; only programs that log users in (sshd, su, PAM) want it.",
	false)
CAPABILITY(30, AUDIT_CONTROL,
	"Switches kernel auditing on and off, changes its rules and login UIDs.",
	"With hostPID it switches off the node's auditing or empties its rules; without, it "
	"passes for another login UID.",
	CAPABILITY_BIT(CAPABILITY_AUDIT_READ),
	"auditd on the node.",
	false)
CAPABILITY(31, SETFCAP,
	"Sets file capabilities, and maps root into a new user namespace.",
	"Plants a program with capabilities on a hostPath volume that anyone on the node can "
	"run; inside the container it lets other users regain what the bounding set has.",
	0,
	"File capabilities that are set when the image is built.",
	false)
CAPABILITY(32, MAC_OVERRIDE,
	"Overrides mandatory access control where the security module lets it: Smack does, "
	"AppArmor and SELinux do not.",
	"Ignores Smack's labels and so reaches every object of the host that they alone "
	"protected.",
	0,
	"A policy that permits what the program does.",
	true)
CAPABILITY(33, MAC_ADMIN,
	"Loads and changes the policy of AppArmor and Smack, and sets labels unknown to SELinux.",
	"Replaces the AppArmor profile that confines it, or any other on the node, by one that "
	"permits all, where it can write to /sys/kernel/security.",
	0,
	"Profiles that the node loads (the Security Profiles Operator).",
	true)
CAPABILITY(34, SYSLOG,
	"Reads and clears the kernel's log and sees kernel addresses.",
	"Learns where the kernel lies in memory, which makes an exploit of it reliable, reads of "
	"other containers in the log, and clears the traces.",
	0,
	"The kernel's log from the node's journal (journalctl -k).",
	false)
CAPABILITY(35, WAKE_ALARM,
	"Sets timers that wake the system from sleep.",
	"Wakes a sleeping machine and drains its battery; on servers next to nothing.",
	0,
	"Ordinary timers, on machines that never sleep.",
	false)
CAPABILITY(36, BLOCK_SUSPEND,
	"Keeps the system from going to sleep (EPOLLWAKEUP, /sys/power/wake_lock).",
	"Keeps a machine awake and drains its battery; on servers next to nothing.",
	0,
	"systemd-inhibit on the host.",
	false)
CAPABILITY(37, AUDIT_READ,
	"Reads the kernel's audit log from a multicast netlink socket.",
	"With hostNetwork it follows what all programs and users of the node do, as far as audit "
	"rules record it.",
	0,
	"auditd on the node, which forwards what is needed.",
	false)
CAPABILITY(38, PERFMON,
	"Monitors performance of all processes and the kernel, and relaxes the BPF verifier.",
	"Samples every process on the node; together with BPF it reads all kernel memory, so "
	"every process's keys, and switches off the verifier's hardening against Spectre.",
	0,
	"perf_event_open(2) on processes of the same user, as kernel.perf_event_paranoid permits.",
	true)
CAPABILITY(39, BPF,
	"Loads BPF programs and creates all kinds of BPF maps.",
	"Feeds the verifier programs that ordinary users may not load, so that each of the "
	"verifier's bugs is a way into the kernel; together with PERFMON it reads kernel memory, "
	"with NET_ADMIN it rewrites traffic.",
	0,
	"Programs that the node loads and pins in bpffs; a BPF token (Linux 6.9) for a user "
	"namespace.",
	true)
CAPABILITY(40, CHECKPOINT_RESTORE,
	"Chooses process IDs, replaces what /proc/PID/exe says, and opens /proc/PID/map_files.",
	"Passes for another program by its PID and executable, and opens files that other "
	"processes have mapped, even deleted ones or ones whose path it could not reach.",
	0,
	"Checkpoints made by the runtime on the node (the kubelet's checkpoint API).",
	true)
/* clang-format on */
