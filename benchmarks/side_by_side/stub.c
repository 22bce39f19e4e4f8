/* A backend that costs next to nothing: everybody may log in, every mailbox has one message, and the mailbox's name is its size. One thread.
 *
 *   stub PORT        listens on 127.0.0.1
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define CAPABILITIES "IMAP4rev1 SASL-IR LITERAL+ ID IDLE AUTH=PLAIN"
#define LINE 2048
#define BODY (1 << 20)

/* What is known of a connection. Its line and its last answers are the only buffers: a client has one command under way. */
struct session {
	int fd;
	int is_idling, waits_to_write;
	size_t line_length, answer_length, answer_sent;
	unsigned long long literal, body, size;
	char line[LINE], tag[32], answer[LINE];
};

static char body[BODY], input[256 * 1024];
static int poller;

static void watch(struct session *s, int operation, unsigned events)
{
	struct epoll_event event = { .events = events, .data.ptr = s };
	epoll_ctl(poller, operation, s->fd, &event);
}

static void end(struct session *s)
{
	close(s->fd);
	free(s);
}

static void answer(struct session *s, const char *text)
{
	size_t length = strlen(text);
	if (s->answer_length + length > LINE) return;
	memcpy(s->answer + s->answer_length, text, length);
	s->answer_length += length;
}

static void tagged(struct session *s, const char *text)
{
	answer(s, s->tag);
	answer(s, text);
}

/* Sends what there is; 0 when it has to be waited for, -1 when the peer is gone. */
static int send_answer(struct session *s)
{
	for (;;) {
		const char *bytes = s->answer + s->answer_sent;
		size_t length = s->answer_length - s->answer_sent;
		int is_body = length == 0;
		if (is_body) {
			if (s->body == 0) break;
			bytes = body;
			length = s->body < BODY ? s->body : BODY;
		}
		ssize_t sent = send(s->fd, bytes, length, MSG_NOSIGNAL | (s->body > 0 ? MSG_MORE : 0));
		if (sent < 0) {
			if (errno != EAGAIN) return -1;
			if (!s->waits_to_write) watch(s, EPOLL_CTL_MOD, EPOLLOUT);
			s->waits_to_write = 1;
			return 0;
		}
		if (!is_body) {
			s->answer_sent += sent;
			continue;
		}
		s->body -= sent;
		if (s->body == 0) {
			s->answer_length = s->answer_sent = 0;
			answer(s, ")\r\n");
			tagged(s, " OK FETCH completed\r\n");
		}
	}
	s->answer_length = s->answer_sent = 0;
	if (s->waits_to_write) watch(s, EPOLL_CTL_MOD, EPOLLIN);
	s->waits_to_write = 0;
	return 1;
}

static int is(const char *command, const char *name)
{
	return strncasecmp(command, name, strlen(name)) == 0;
}

/* A whole line. 0: the session is over. */
static int command(struct session *s)
{
	char text[256], *line = s->line;
	if (s->is_idling) {
		s->is_idling = 0;
		tagged(s, " OK IDLE completed\r\n");
		return 1;
	}
	char *space = strchr(line, ' ');
	if (!space || (size_t)(space - line) >= sizeof s->tag) return 0;
	memcpy(s->tag, line, space - line);
	s->tag[space - line] = 0;
	char *rest = space + 1, *argument = strchr(rest, ' ');
	if (is(rest, "LOGIN") || is(rest, "AUTHENTICATE")) tagged(s, " OK [CAPABILITY " CAPABILITIES "] logged in\r\n");
	else if (is(rest, "IDLE")) {
		s->is_idling = 1;
		answer(s, "+ idling\r\n");
	} else if (is(rest, "ID")) {
		answer(s, "* ID (\"name\" \"stub\")\r\n");
		tagged(s, " OK ID completed\r\n");
	} else if (is(rest, "CAPABILITY")) {
		answer(s, "* CAPABILITY " CAPABILITIES "\r\n");
		tagged(s, " OK CAPABILITY completed\r\n");
	} else if (is(rest, "SELECT")) {
		while (argument && *argument && !isdigit((unsigned char)*argument)) argument++;
		s->size = argument ? strtoull(argument, NULL, 10) : 0;
		answer(s, "* 1 EXISTS\r\n");
		tagged(s, " OK SELECT completed\r\n");
	} else if (is(rest, "FETCH") && s->size > 0) {
		snprintf(text, sizeof text, "* 1 FETCH (BODY[] {%llu}\r\n", s->size);
		answer(s, text);
		s->body = s->size;
	} else if (is(rest, "LOGOUT")) {
		answer(s, "* BYE\r\n");
		tagged(s, " OK LOGOUT completed\r\n");
		send_answer(s);
		return 0;
	} else tagged(s, " OK completed\r\n");
	return 1;
}

/* Whether the line so far ends in the announcement of a literal; its length is taken, and what announced it goes. */
static int announces_literal(struct session *s)
{
	char *brace = s->line_length > 2 && s->line[s->line_length - 1] == '}' ? strrchr(s->line, '{') : NULL;
	if (!brace || !isdigit((unsigned char)brace[1])) return 0;
	char *rest;
	s->literal = strtoull(brace + 1, &rest, 10);
	if (*rest != '+') answer(s, "+ go on\r\n");
	s->line_length = brace - s->line;
	return 1;
}

static int take(struct session *s, const char *bytes, size_t count)
{
	while (count > 0) {
		if (s->literal > 0) {
			size_t length = s->literal < count ? s->literal : count;
			/* Names and passwords are short; a message is only counted. */
			for (size_t i = 0; i < length && s->line_length < LINE / 2; i++) s->line[s->line_length++] = bytes[i];
			s->literal -= length;
			bytes += length;
			count -= length;
			continue;
		}
		const char *line_end = memchr(bytes, '\n', count);
		size_t length = line_end ? (size_t)(line_end - bytes) : count;
		if (s->line_length + length >= LINE) return 0;
		memcpy(s->line + s->line_length, bytes, length);
		s->line_length += length;
		if (!line_end) return 1;
		bytes += length + 1;
		count -= length + 1;
		if (s->line_length > 0 && s->line[s->line_length - 1] == '\r') s->line_length--;
		s->line[s->line_length] = 0;
		if (announces_literal(s)) continue;
		if (!command(s)) return 0;
		s->line_length = 0;
	}
	return 1;
}

static void welcome(int listener)
{
	int fd, on = 1;
	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		struct session *s = calloc(1, sizeof *s);
		if (!s) exit(1);
		s->fd = fd;
		watch(s, EPOLL_CTL_ADD, EPOLLIN);
		answer(s, "* OK [CAPABILITY " CAPABILITIES "] stub\r\n");
		if (send_answer(s) < 0) end(s);
	}
}

static void serve(struct session *s)
{
	if (!s->waits_to_write) {
		ssize_t count = recv(s->fd, input, sizeof input, 0);
		if (count < 0 && errno == EAGAIN) return;
		if (count <= 0 || !take(s, input, count)) {
			end(s);
			return;
		}
	}
	if (send_answer(s) < 0) end(s);
}

int main(int argc, char **argv)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(argc > 1 ? atoi(argv[1]) : 0), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 4096)) {
		perror("stub");
		return 1;
	}
	for (size_t i = 0; i < sizeof body; i++) body[i] = i % 78 == 76 ? '\r' : i % 78 == 77 ? '\n' : 'a' + i % 26;
	poller = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = NULL }, events[256];
	epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int count = epoll_wait(poller, events, 256, -1);
		for (int i = 0; i < count; i++) {
			if (events[i].data.ptr) serve(events[i].data.ptr);
			else welcome(listener);
		}
	}
}
