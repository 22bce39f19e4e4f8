/* Clients of an IMAP server on 127.0.0.1, as many as are asked for, each with one command under way. One thread.
 *
 *   load login|noop|fetch|append|idle PORT plain|tls CONNECTIONS SECONDS SIZE USERS RATE
 *
 * With a rate other than 0 logins begin so many times each second, and not as soon as the ones before have ended; CONNECTIONS is then how
 * many may be under way, and what was late is made up for.
 * Users are user0@example.com and so on, the password is "secret". Says "ready SECONDS" when its sessions are there (at once for login, which makes
 * new ones all the time), waits for a line, works for SECONDS, says "done OPERATIONS BYTES SECONDS P50 P99 ERRORS" (times in microseconds),
 * waits for another line and ends. With idle the sessions only stay; the operations are those that still answer at the end.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LINE 4096
#define OPENING 40
#define SAMPLES (1 << 20)

enum mode { LOGIN, NOOP, FETCH, APPEND, IDLE };
enum state { CONNECTING, SHAKING, GREETING, LOGGING_IN, SELECTING, READY, WORKING, IDLING, LEAVING };

struct client {
	int fd, number, wants_write;
	enum state state;
	SSL *tls;
	double began;
	const char *out;
	size_t out_left, line_length;
	unsigned long long literal;
	int waits_for_go_on;
	char line[LINE], command[256];
};

static enum mode mode;
static int port, with_tls, connections, users, poller, opening, standing, unopened, is_running, is_ending, next_user;
static double length, rate, next_start;
static unsigned long long size, operations, bytes, errors;
static float *times;
static struct client **resting;
static int resting_count;
static char *message;
static SSL_CTX *context;
static char input[256 * 1024];

static void start(struct client *c);
static void start_in_turn(struct client *c);

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static void watch(struct client *c, int operation, unsigned events)
{
	struct epoll_event event = { .events = events, .data.ptr = c };
	epoll_ctl(poller, operation, c->fd, &event);
}

static void note(struct client *c)
{
	if (!is_running) return;
	times[operations++ % SAMPLES] = (now() - c->began) * 1e6;
}

static void leave(struct client *c)
{
	if (c->state < READY) opening--;
	else if (c->state < LEAVING) standing--;
	if (c->tls) SSL_free(c->tls);
	close(c->fd);
	c->tls = NULL;
	c->fd = -1;
}

static void fail(struct client *c, const char *why)
{
	if (errors++ < 5) fprintf(stderr, "load: client %d, state %d: %s: %.*s\n", c->number, c->state, why, (int)c->line_length, c->line);
	leave(c);
	if (mode == LOGIN && is_running && !is_ending && errors < 1000) start_in_turn(c);
}

/* -1: lost; 0: has to wait; else a count */
static ssize_t move(struct client *c, void *to, const void *from, size_t count)
{
	if (!c->tls) {
		ssize_t moved = to ? recv(c->fd, to, count, 0) : send(c->fd, from, count, MSG_NOSIGNAL);
		if (moved > 0) return moved;
		return moved < 0 && errno == EAGAIN ? 0 : -1;
	}
	if (count > 65536) count = 65536;
	int moved = to ? SSL_read(c->tls, to, count) : SSL_write(c->tls, from, count);
	if (moved > 0) return moved;
	int error = SSL_get_error(c->tls, moved);
	return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int write_out(struct client *c)
{
	while (c->out_left > 0) {
		ssize_t sent = move(c, NULL, c->out, c->out_left);
		if (sent < 0) return -1;
		if (sent == 0) break;
		c->out += sent;
		c->out_left -= sent;
	}
	if (c->wants_write != (c->out_left > 0)) {
		c->wants_write = c->out_left > 0;
		watch(c, EPOLL_CTL_MOD, c->wants_write ? EPOLLIN | EPOLLOUT : EPOLLIN);
	}
	return 0;
}

static int say(struct client *c, const char *command, int then)
{
	c->out_left = snprintf(c->command, sizeof c->command, "a %s\r\n", command);
	c->out = c->command;
	c->state = then;
	c->began = then == LOGGING_IN ? c->began : now();
	return write_out(c);
}

static int work(struct client *c)
{
	char text[128];
	if (mode == NOOP) return say(c, "NOOP", WORKING);
	if (mode == FETCH) return say(c, "FETCH 1 BODY.PEEK[]", WORKING);
	snprintf(text, sizeof text, "APPEND INBOX {%llu}", size);
	c->waits_for_go_on = 1;
	return say(c, text, WORKING);
}

/* The session stands: it waits until everybody is there. */
static int ready(struct client *c)
{
	c->state = READY;
	opening--;
	standing++;
	return mode == IDLE ? say(c, "IDLE", IDLING) : is_running ? work(c) : 0;
}

static int completed(struct client *c)
{
	char text[64];
	switch (c->state) {
	case LOGGING_IN:
		if (mode == LOGIN) {
			note(c);
			opening--;
			return say(c, "LOGOUT", LEAVING);
		}
		snprintf(text, sizeof text, "SELECT m%llu", size);
		return mode == FETCH ? say(c, text, SELECTING) : ready(c);
	case SELECTING:
		return ready(c);
	case WORKING:
		note(c);
		c->state = READY;
		return is_ending ? 0 : work(c);
	case IDLING:
		note(c);
		return 0;
	default:
		return -1;
	}
}

/* A line without its end; -1: the session is broken, 1: it has said goodbye */
static int read_line(struct client *c)
{
	char *line = c->line;
	size_t count = c->line_length;
	if (count > 0 && line[count - 1] == '\r') count--;
	line[count] = 0;
	if (c->state == GREETING) {
		char text[128];
		if (strncmp(line, "* OK", 4)) return -1;
		snprintf(text, sizeof text, "LOGIN user%d@example.com secret", next_user++ % users);
		return say(c, text, LOGGING_IN);
	}
	if (!strncmp(line, "a OK", 4)) return c->state == LEAVING ? 1 : completed(c);
	if (line[0] == '+' && c->waits_for_go_on) {
		c->waits_for_go_on = 0;
		c->out = message;
		c->out_left = size + 2;
		return write_out(c);
	}
	if (line[0] == '+' && c->state == IDLING) return 0;
	if (line[0] != '*' && line[0] != ')') return -1;
	if (count > 2 && line[count - 1] == '}' && strrchr(line, '{')) c->literal = strtoull(strrchr(line, '{') + 1, NULL, 10);
	return 0;
}

static int take(struct client *c, const char *from, size_t count)
{
	while (count > 0) {
		if (c->literal > 0) {
			size_t some = c->literal < count ? c->literal : count;
			c->literal -= some;
			from += some;
			count -= some;
			if (is_running) bytes += some;
			continue;
		}
		const char *line_end = memchr(from, '\n', count);
		size_t some = line_end ? (size_t)(line_end - from) : count;
		if (c->line_length + some >= LINE) return -1;
		memcpy(c->line + c->line_length, from, some);
		c->line_length += some;
		if (!line_end) return 0;
		from += some + 1;
		count -= some + 1;
		int result = read_line(c);
		if (result) return result;
		c->line_length = 0;
	}
	return 0;
}

static void go_on(struct client *c)
{
	if (c->state == CONNECTING) {
		int error = 0;
		socklen_t error_length = sizeof error;
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &error_length);
		if (error) {
			fail(c, strerror(error));
			return;
		}
		c->state = with_tls ? SHAKING : GREETING;
		watch(c, EPOLL_CTL_MOD, EPOLLIN);
		if (with_tls) {
			c->tls = SSL_new(context);
			SSL_set_fd(c->tls, c->fd);
			SSL_set_connect_state(c->tls);
		}
	}
	if (c->state == SHAKING) {
		int done = SSL_do_handshake(c->tls);
		if (done != 1) {
			if (SSL_get_error(c->tls, done) != SSL_ERROR_WANT_READ) fail(c, "handshake");
			return;
		}
		c->state = GREETING;
	}
	if (c->out_left > 0 && write_out(c) < 0) {
		fail(c, "write");
		return;
	}
	for (;;) {
		ssize_t count = move(c, input, NULL, sizeof input);
		if (count == 0) return;
		int result = count < 0 ? -1 : take(c, input, count);
		if (result > 0) {
			leave(c);
			if (is_running && !is_ending) start_in_turn(c);
			return;
		}
		if (result < 0) {
			fail(c, count < 0 ? "read" : "answer");
			return;
		}
		if (!c->tls && (size_t)count < sizeof input) return;
	}
}

static void start(struct client *c)
{
	int number = c->number, on = 1;
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	memset(c, 0, offsetof(struct client, line));
	c->number = number;
	c->began = now();
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	opening++;
	if (connect(c->fd, (struct sockaddr *)&address, sizeof address) && errno != EINPROGRESS) {
		errors++;
		leave(c);
		return;
	}
	watch(c, EPOLL_CTL_ADD, EPOLLOUT);
}

static void start_in_turn(struct client *c)
{
	if (rate > 0) resting[resting_count++] = c;
	else start(c);
}

static void start_who_is_due(void)
{
	if (!is_running || is_ending) return;
	for (; resting_count > 0 && next_start <= now(); next_start += 1 / rate) start(resting[--resting_count]);
}

static void poll_until(double deadline, int (*is_done)(void))
{
	struct epoll_event events[256];
	while (now() < deadline && !is_done()) {
		if (rate > 0) start_who_is_due();
		int count = epoll_wait(poller, events, 256, rate > 0 ? 1 : 20);
		for (int i = 0; i < count; i++)
			if (((struct client *)events[i].data.ptr)->fd >= 0) go_on(events[i].data.ptr);
	}
}

static struct client *clients;

static int all_stand(void)
{
	while (opening < OPENING && unopened > 0) start(&clients[--unopened]);
	return unopened == 0 && opening == 0;
}

static int never(void)
{
	return 0;
}

static int by_size(const void *a, const void *b)
{
	return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b);
}

static void wait_for_line(void)
{
	char text[16];
	if (!fgets(text, sizeof text, stdin)) exit(1);
}

int main(int argc, char **argv)
{
	static const char *names[] = { "login", "noop", "fetch", "append", "idle" };
	if (argc != 9) return 2;
	for (int i = 0; i < 5; i++) if (!strcmp(argv[1], names[i])) mode = i;
	port = atoi(argv[2]);
	with_tls = !strcmp(argv[3], "tls");
	connections = atoi(argv[4]);
	length = atof(argv[5]);
	size = strtoull(argv[6], NULL, 10);
	users = atoi(argv[7]);
	rate = atof(argv[8]);
	signal(SIGPIPE, SIG_IGN);
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	context = SSL_CTX_new(TLS_client_method());
	/* The same for everybody: by itself each proxy chooses another. */
	SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
	SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	clients = calloc(connections, sizeof *clients);
	resting = calloc(connections, sizeof *resting);
	times = malloc(SAMPLES * sizeof *times);
	message = malloc(size + 2);
	memset(message, 'x', size);
	memcpy(message + size, "\r\n", 2);
	poller = epoll_create1(EPOLL_CLOEXEC);
	for (int i = 0; i < connections; i++) clients[i] = (struct client){ .number = i, .fd = -1 };
	double began = now();
	unopened = mode == LOGIN ? 0 : connections;
	poll_until(began + 120, all_stand);
	printf("ready %.3f\n", now() - began);
	fflush(stdout);
	wait_for_line();
	next_start = began = now();
	is_running = 1;
	for (int i = 0; i < connections; i++) {
		struct client *c = &clients[i];
		if (mode == LOGIN) start_in_turn(c);
		else if (c->fd >= 0 && c->state == READY && work(c) < 0) fail(c, "write");
	}
	poll_until(began + length, never);
	is_ending = 1;
	double took = now() - began;
	if (mode == IDLE) {
		operations = 0;
		for (int i = 0; i < connections; i++) {
			struct client *c = &clients[i];
			if (c->fd < 0 || c->state != IDLING) continue;
			c->out = "DONE\r\n";
			c->out_left = 6;
			if (write_out(c) < 0) fail(c, "write");
		}
		poll_until(now() + 5, never);
	}
	unsigned long long kept = operations < SAMPLES ? operations : SAMPLES;
	qsort(times, kept, sizeof *times, by_size);
	if (mode == APPEND) bytes = operations * size;
	printf("done %llu %llu %.6f %.1f %.1f %llu\n", operations, bytes, took, kept ? times[kept / 2] : 0, kept ? times[kept * 99 / 100] : 0, errors);
	fflush(stdout);
	wait_for_line();
	return 0;
}
