// SPDX-License-Identifier: GPL-2.0
/*
 * Random ioctls by several processes at once, some of which are killed. Every
 * request must end with one of the results that bprobe.h names.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "agent.h"

#define PAGE 4096
#define PROCESSES_MAX 16
#define HELD_MAX 24
#define LIST_MAX 8
#define ERRNOS 200

/* Shared with the children. */
struct tally {
	uint64_t calls, attached, killed, errors[ERRNOS];
	char wrong[200];
};

struct fuzz {
	struct tally *tally;
	uint64_t calls, seed;
	int device, program;
	uint64_t address;		/* of a function that may be probed */
	bool privileged, has_namespace;
	/* These differ in each process: */
	uint64_t random;
	int held[HELD_MAX];
	struct bprobe_function list[LIST_MAX];
	char *page, *constant;		/* each followed by a page without access */
};

static uint64_t draw(struct fuzz *fuzz)
{
	/* xorshift64* */
	fuzz->random ^= fuzz->random >> 12;
	fuzz->random ^= fuzz->random << 25;
	fuzz->random ^= fuzz->random >> 27;
	return fuzz->random * 0x2545f4914f6cdd1dull;
}

static bool one_in(struct fuzz *fuzz, unsigned int n)
{
	return draw(fuzz) >> 32 < (1ull << 32) / n;
}

#define PICK(fuzz, array) ((array)[draw(fuzz) % (sizeof(array) / sizeof((array)[0]))])

static uint64_t any_pointer(struct fuzz *fuzz)
{
	const uint64_t pointers[] = {
		0, 1, (uintptr_t)fuzz->page, (uintptr_t)fuzz->page + PAGE - 1, (uintptr_t)fuzz->page + PAGE,
		(uintptr_t)fuzz->constant, fuzz->address, fuzz->address + 1, fuzz->address + 4, 0xffffffff81000000,
		0xffffffffffffffff, 0xffff800000000000, 0x800000000000, 0x7ffffffff000, draw(fuzz),
	};

	return PICK(fuzz, pointers);
}

/* The kernel takes long to look up a name, so most of these pointers point to none. */
static uint64_t any_symbol(struct fuzz *fuzz)
{
	static const char *const names[] = {
		"fx_c", "fx_asm", "fx_asm_fentry", "mktime64", "do_int3", "s_show", "no_such_function", "", "bp_return",
	};

	return one_in(fuzz, 50) ? (uintptr_t)PICK(fuzz, names) : any_pointer(fuzz);
}

static uint32_t any_size(struct fuzz *fuzz, uint32_t right)
{
	const uint32_t sizes[] = {right, right, right, BPROBE_ATTACH_FIRST_SIZE, BPROBE_INFO_FIRST_SIZE, 0, 1, right - 1, right + 1, right + 8, PAGE, PAGE + 1, 0xffffffff,
				  draw(fuzz)};

	return PICK(fuzz, sizes);
}

/* A random list, or a list of up to eight functions, most of them good. */
static void fill_list(struct fuzz *fuzz, struct bprobe_attach *request)
{
	const uint32_t counts[] = {0, 1, 2, BPROBE_FUNCTIONS_MAX, BPROBE_FUNCTIONS_MAX + 1, 0xffffffff, draw(fuzz)};

	request->symbol = request->address = request->cookie = 0;
	request->count = PICK(fuzz, counts);
	request->functions = any_pointer(fuzz);
	if (one_in(fuzz, 2))
		return;
	request->count = 1 + draw(fuzz) % LIST_MAX;
	request->functions = (uintptr_t)fuzz->list;
	for (uint32_t i = 0; i < request->count; i++) {
		fuzz->list[i] = (struct bprobe_function){.address = fuzz->address, .cookie = draw(fuzz)};
		if (one_in(fuzz, 20))
			fuzz->list[i].address = any_pointer(fuzz);
		if (one_in(fuzz, 40))
			fuzz->list[i].symbol = any_symbol(fuzz);
	}
}

static void fill(struct fuzz *fuzz, struct bprobe_attach *request)
{
	const int fds[] = {fuzz->program, fuzz->program, fuzz->device, 0, -1, 9999, fuzz->held[0], draw(fuzz)};

	memset(request, 0, sizeof(*request));
	request->size = any_size(fuzz, sizeof(*request));
	request->flags = one_in(fuzz, 8) ? draw(fuzz) : 0;
	request->prog_fd = PICK(fuzz, fds);
	request->point = one_in(fuzz, 8) ? draw(fuzz) : draw(fuzz) & 1;
	request->symbol = one_in(fuzz, 2) ? any_symbol(fuzz) : 0;
	request->address = one_in(fuzz, 2) ? any_pointer(fuzz) : 0;
	request->cookie = draw(fuzz);
	if (one_in(fuzz, 4))
		fill_list(fuzz, request);
	if (one_in(fuzz, 40)) {
		*request = (struct bprobe_attach){.size = sizeof(*request), .prog_fd = fuzz->program,
						  .point = draw(fuzz) & 1, .address = fuzz->address};
	}
}

static unsigned int any_command(struct fuzz *fuzz)
{
	const unsigned int commands[] = {
		BPROBE_IOC_ATTACH, BPROBE_IOC_ATTACH, BPROBE_IOC_ATTACH, BPROBE_IOC_CHECK, BPROBE_IOC_INFO,
		_IOC(draw(fuzz) & 3, 'P', draw(fuzz) & 255, draw(fuzz) & 0x3fff),
		/*
		 * Not the types of the generic file system ioctls: those have
		 * effects of their own.
		 */
		_IOC(draw(fuzz) & 3, 'P' + 1 + draw(fuzz) % 3, draw(fuzz) & 255, draw(fuzz) & 0x3fff),
	};

	return PICK(fuzz, commands);
}

/* The argument: a structure that ends at a page end or begins anywhere, or no memory at all. */
static uint64_t any_argument(struct fuzz *fuzz, unsigned int command)
{
	size_t size = command == BPROBE_IOC_ATTACH ? sizeof(struct bprobe_attach) : _IOC_SIZE(command);
	char *place = fuzz->page + PAGE - (size && size < PAGE ? size : sizeof(struct bprobe_attach));

	if (one_in(fuzz, 10))
		return any_pointer(fuzz);
	if (one_in(fuzz, 10))
		place = fuzz->page + draw(fuzz) % PAGE;
	for (char *byte = place; byte < fuzz->page + PAGE && one_in(fuzz, 4); byte += 8)
		memcpy(byte, &(uint64_t){draw(fuzz)}, byte + 8 > fuzz->page + PAGE ? (size_t)(fuzz->page + PAGE - byte) : 8);
	if (place + sizeof(struct bprobe_attach) > fuzz->page + PAGE)
		return (uintptr_t)place;
	if (command == BPROBE_IOC_ATTACH) {
		fill(fuzz, (struct bprobe_attach *)place);
	} else if (place + sizeof(struct bprobe_check) <= fuzz->page + PAGE) {
		struct bprobe_check *check = (struct bprobe_check *)place;

		check->size = any_size(fuzz, _IOC_SIZE(command));
		check->flags = one_in(fuzz, 4) ? draw(fuzz) : 0;
		check->address = any_pointer(fuzz);
	}
	return (uintptr_t)place;
}

static bool is_documented(int error)
{
	switch (error) {
	case EBADF: case ENOTTY: case EINVAL: case E2BIG: case EFAULT: case EPERM: case EPROTOTYPE: case ENOENT:
	case ENOTUNIQ: case EADDRNOTAVAIL: case EOPNOTSUPP: case ENAMETOOLONG: case EMFILE:
		return true;
	}
	return false;
}

static void complain(struct fuzz *fuzz, const char *what, unsigned int command, int number)
{
	if (!fuzz->tally->wrong[0])
		snprintf(fuzz->tally->wrong, sizeof(fuzz->tally->wrong), "%s: command %#x, %s, seed %#lx", what, command,
			 number ? strerrorname_np(number) : "no error", (unsigned long)fuzz->seed);
}

static void keep(struct fuzz *fuzz, int probe, unsigned int command)
{
	int *held = &PICK(fuzz, fuzz->held);

	__atomic_add_fetch(&fuzz->tally->attached, 1, __ATOMIC_RELAXED);
	if (!fuzz->privileged)
		complain(fuzz, "attached without the right to", command, 0);
	if (!(fcntl(probe, F_GETFD) & FD_CLOEXEC))
		complain(fuzz, "a probe that exec keeps", command, 0);
	if (*held >= 0)
		close(*held);
	*held = probe;
}

static void ask(struct fuzz *fuzz)
{
	unsigned int command = any_command(fuzz);
	bool on_device = !one_in(fuzz, 4);
	/* Other files get no commands of their own: those have effects. */
	int other = one_in(fuzz, 2) ? PICK(fuzz, fuzz->held) : one_in(fuzz, 2) ? fuzz->program : 9999;
	int result = ioctl(on_device ? fuzz->device : other, command, any_argument(fuzz, command));

	__atomic_add_fetch(&fuzz->tally->calls, 1, __ATOMIC_RELAXED);
	if (result < 0) {
		__atomic_add_fetch(&fuzz->tally->errors[errno % ERRNOS], 1, __ATOMIC_RELAXED);
		if (!is_documented(errno))
			complain(fuzz, "an error that is not documented", command, errno);
	} else if (command == BPROBE_IOC_ATTACH && on_device) {
		keep(fuzz, result, command);
	} else if (command != BPROBE_IOC_INFO && command != BPROBE_IOC_CHECK) {
		complain(fuzz, "a command that does not exist was taken", command, 0);
	}
	if (one_in(fuzz, 20)) {
		int *held = &PICK(fuzz, fuzz->held);

		if (*held >= 0)
			close(*held);
		*held = -1;
	}
}

static _Noreturn void child(struct fuzz *fuzz, int number)
{
	struct rlimit few = {};
	int next;
	char *map = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	fuzz->random = fuzz->seed * 0x9e3779b97f4a7c15ull + number + 1;
	fuzz->page = map;
	fuzz->constant = map + 2 * PAGE;
	memset(fuzz->constant, 'x', PAGE);
	mprotect(map + PAGE, PAGE, PROT_NONE);
	mprotect(fuzz->constant, PAGE, PROT_READ);
	mprotect(fuzz->constant + PAGE, PAGE, PROT_NONE);
	for (int i = 0; i < HELD_MAX; i++)
		fuzz->held[i] = -1;
	if (!fuzz->privileged && (fuzz->has_namespace ? unshare(CLONE_NEWUSER) ? errno : 0 : become_user(0, false)))
		_exit(2);
	/* Every other process has room for two probes only. */
	if (number % 2) {
		next = dup(fuzz->program);
		close(next);
		few.rlim_cur = few.rlim_max = next + 2;
		setrlimit(RLIMIT_NOFILE, &few);
	}
	while (__atomic_load_n(&fuzz->tally->calls, __ATOMIC_RELAXED) < fuzz->calls)
		ask(fuzz);
	_exit(0);
}

static pid_t begin(struct fuzz *fuzz, int number)
{
	pid_t pid = fork_clean((int[]){fuzz->device, fuzz->program}, 2);

	if (!pid)
		child(fuzz, number);
	return pid;
}

/* Lets the children send requests, and kills one now and then. False if a child gave up. */
static bool run(struct fuzz *fuzz, int processes)
{
	pid_t pids[PROCESSES_MAX];
	bool well = true;
	int status, number = 0;

	for (int i = 0; i < processes; i++)
		pids[i] = begin(fuzz, number++);
	fuzz->random = fuzz->seed + 1;
	while (well && __atomic_load_n(&fuzz->tally->calls, __ATOMIC_RELAXED) < fuzz->calls) {
		int chosen = draw(fuzz) % processes;

		sleep_us(2000 + draw(fuzz) % 10000);
		kill(pids[chosen], SIGKILL);
		waitpid(pids[chosen], &status, 0);
		well = !WIFEXITED(status) || WEXITSTATUS(status) == 0;
		fuzz->tally->killed += WIFSIGNALED(status);
		pids[chosen] = begin(fuzz, number++);
	}
	for (int i = 0; i < processes; i++) {
		waitpid(pids[i], &status, 0);
		well = well && (!WIFEXITED(status) || WEXITSTATUS(status) == 0);
	}
	return well;
}

static json_t *report(const struct tally *tally)
{
	json_t *errors = json_object();

	for (int i = 0; i < ERRNOS; i++) {
		if (tally->errors[i])
			json_object_set_new(errors, strerrorname_np(i) ?: "?", json_integer(tally->errors[i]));
	}
	return json_pack("{s:I, s:I, s:I, s:s, s:o}", "calls", (json_int_t)tally->calls, "attached",
			 (json_int_t)tally->attached, "killed", (json_int_t)tally->killed, "wrong", tally->wrong, "errors",
			 errors);
}

json_t *op_fuzz(json_t *in, struct failure *failure)
{
	static const char *const rights[] = {"root", "noSysAdmin", "userNamespace", NULL};
	struct fuzz fuzz = {.calls = get_number(in, "calls", 1000), .seed = get_number(in, "seed", 1)};
	int64_t processes = get_number(in, "processes", 2);
	json_t *out = NULL;
	int as;

	if (processes < 1 || processes > PROCESSES_MAX)
		return fail(failure, EINVAL, "`processes` has to be 1 to %d.", PROCESSES_MAX);
	if (!need_choice(in, "as", rights, &as, failure))
		return NULL;
	fuzz.privileged = as == 0;
	fuzz.has_namespace = as == 2;
	fuzz.program = handle_fd(in, "prog", PROG, failure);
	fuzz.device = bprobe_device(failure);
	fuzz.address = symbol_address("fx_c", failure);
	if (fuzz.program < 0 || fuzz.device < 0 || !fuzz.address)
		return NULL;
	fuzz.tally = shared_memory(sizeof(*fuzz.tally));
	if (!fuzz.tally)
		return fail_errno(failure, "Cannot share memory");
	if (run(&fuzz, processes))
		out = report(fuzz.tally);
	else
		fail(failure, ENOSYS, "A child could not give up its rights.");
	munmap(fuzz.tally, sizeof(*fuzz.tally));
	return out;
}
