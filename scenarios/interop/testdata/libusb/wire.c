#define _GNU_SOURCE
#include "wire.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_MS = 20000, /* an emulated device only looks at its memory */
	TURN_MS = 100,     /* how late a patience may run out */
	LINKS = 64,
};

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t turned;
static int turning; /* somebody reads for all */
static int bell = -1;
static struct link *links;
struct request *finished;

__attribute__((constructor)) static void begin(void) {
	pthread_condattr_t clock;
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&turned, &clock);
	bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
}

long long now_ms(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* stir makes all who wait look again. */
void stir(void) {
	eventfd_write(bell, 1);
	pthread_cond_broadcast(&turned);
}

static int put(int fd, unsigned char kind, const unsigned char *body, int n) {
	unsigned char frame[3 + MOST] = {kind, n >> 8, n};
	memcpy(frame + 3, body, n);
	return send(fd, frame, 3 + n, MSG_NOSIGNAL) == 3 + n;
}

static int receive(int fd, unsigned char *p, int n) {
	for (int k; n > 0; p += k, n -= k)
		if ((k = read(fd, p, n)) <= 0)
			return 0;
	return 1;
}

/* link_open opens the device at a socket; place becomes "BUS DEVICE PORT". */
int link_open(const char *path, struct link **link, char *place, int size) {
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	struct timeval patience = {ANSWER_MS / 1000, 0};
	unsigned char head[3], body[MOST];
	int n, fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strncpy(to.sun_path, path, sizeof to.sun_path - 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0 ||
	    !put(fd, 'U', (const unsigned char *)"devsim1", 7) || !receive(fd, head, 3) ||
	    (n = head[1] << 8 | head[2]) > MOST || !receive(fd, body, n)) {
		close(fd);
		return LIBUSB_ERROR_NO_DEVICE;
	}
	if (head[0] != 'U' || n >= size) {
		close(fd);
		if (head[0] == 'E' && n > 0 && body[0] == 'b')
			return LIBUSB_ERROR_BUSY;
		if (head[0] == 'E' && n > 0 && body[0] == 'n')
			return LIBUSB_ERROR_NO_DEVICE;
		return LIBUSB_ERROR_OTHER;
	}
	memcpy(place, body, n);
	place[n] = 0;
	struct link *l = calloc(1, sizeof *l);
	l->fd = fd;
	pthread_mutex_lock(&lock);
	l->next = links;
	*link = links = l;
	stir();
	pthread_mutex_unlock(&lock);
	return 0;
}

static void drop(struct request *r) {
	if (r->link && r->link->pending[r->seq] == r)
		r->link->pending[r->seq] = NULL;
	free(r->data);
	free(r);
}

/* finish hands a request to who waits for it. */
static void finish(struct request *r, int status) {
	r->status = status;
	r->done = 1;
	if (!r->transfer)
		return;
	struct request **end = &finished;
	while (*end)
		end = &(*end)->next;
	*end = r;
}

static void hang_up(struct link *l) {
	l->dead = 1;
	for (int i = 0; i < 256; i++) {
		struct request *r = l->pending[i];
		l->pending[i] = NULL;
		if (r && r->orphan) {
			drop(r);
		} else if (r) {
			if (!r->done)
				finish(r, LIBUSB_ERROR_NO_DEVICE);
			r->link = NULL;
		}
	}
}

void link_close(struct link *l) {
	hang_up(l);
	for (struct link **p = &links; *p; p = &(*p)->next)
		if (*p == l) {
			*p = l->next;
			break;
		}
	close(l->fd);
	free(l);
	stir();
}

static void number(unsigned char *to, unsigned value, int bytes) {
	for (int i = 0; i < bytes; i++)
		to[i] = value >> 8 * (bytes - 1 - i);
}

static int least(int a, int b) { return a < b ? a : b; }

/* post sends a request. The far end cuts it into packets, as a host controller does. */
static void post(struct request *r) {
	struct link *l = r->link;
	unsigned char body[MOST];
	long long left = r->deadline ? r->deadline - now_ms() : 0xffffffffLL;
	int n;
	for (n = 0; l->pending[l->seq] && n < 256; n++)
		l->seq++;
	if (l->dead || n == 256)
		return finish(r, l->dead ? LIBUSB_ERROR_NO_DEVICE : LIBUSB_ERROR_BUSY);
	r->seq = body[0] = l->seq++;
	number(body + 1, left > 0 ? left : 0, 4);
	switch (r->kind) {
	case 'C':
		memcpy(body + 5, r->head, 6);
		number(body + 11, r->want, 2);
		n = 13;
		if (!(r->head[0] & 0x80))
			memcpy(body + n, r->data, r->want), n += r->want;
		break;
	case 'I':
		body[5] = r->endpoint;
		number(body + 6, r->packet ? r->packet : r->want, 2);
		n = 8;
		if (!(r->endpoint & 0x80))
			memcpy(body + n, r->data, r->want), n += r->want;
		break;
	default: /* H with its endpoint, Z */
		body[1] = r->endpoint;
		n = r->kind == 'H' ? 2 : 1;
	}
	l->pending[r->seq] = r;
	if (!put(l->fd, r->kind, body, n))
		hang_up(l);
}

/* more reports whether a transfer goes on after its last packet, which had n bytes. */
static int more(struct request *r, int status, int n) {
	return !status && r->packet && n == r->packet && r->got < r->want;
}

/* ask begins a request like the one given. out is copied. The caller lets go of it in the end. */
struct request *ask(struct link *l, struct request like, const void *out) {
	if (like.kind == 'I' && like.endpoint & 0x80)
		for (int i = 0; i < 256; i++) {
			struct request *r = l->pending[i];
			if (!r || !r->orphan || r->endpoint != like.endpoint || r->kind != 'I')
				continue;
			like.got = least(r->got, like.want);
			like.data = memcpy(calloc(1, like.want + like.packet + 1), r->data, like.got);
			like.link = l, like.seq = r->seq;
			like.patience = like.deadline;
			int arrived = r->arrived, status = r->result, n = r->got;
			if (n > like.want)
				status = LIBUSB_ERROR_OVERFLOW;
			free(r->data);
			*r = like;
			if (arrived) {
				l->pending[i] = NULL;
				if (more(r, status, n))
					post(r);
				else
					finish(r, status);
			}
			return r;
		}
	struct request *r = malloc(sizeof *r);
	*r = like;
	r->link = l;
	r->patience = r->deadline ? r->deadline + ANSWER_MS : 0;
	r->data = calloc(1, r->want + r->packet + 1);
	if (out)
		memcpy(r->data, out, r->want);
	post(r);
	return r;
}

/* abandoned settles a request for which nobody waits: what an interrupt endpoint has sent is kept.
 */
static void abandoned(struct request *r) {
	int in = r->kind == 'I' && r->endpoint & 0x80;
	if (!r->link || (r->arrived && (!in || (r->result && !r->got))))
		return drop(r);
	r->orphan = 1;
	r->transfer = NULL;
}

/* let_go is called by who has waited for a request. */
void let_go(struct request *r) {
	if (!r->cancelled)
		return drop(r);
	memmove(r->data, r->data + r->given, r->got -= r->given);
	r->given = 0;
	abandoned(r);
}

/* give_up ends the wait for a request before its answer. */
static void give_up(struct request *r, int status) {
	r->cancelled = 1;
	r->given = r->got;
	finish(r, status);
}

/* cancel ends the wait for a request. */
void cancel(struct request *r) {
	if (r->done)
		return;
	give_up(r, LIBUSB_ERROR_INTERRUPTED);
	stir();
}

static const struct { char code; int error; } statuses[] = {
	{'t', LIBUSB_ERROR_TIMEOUT}, {'s', LIBUSB_ERROR_PIPE}, {'o', LIBUSB_ERROR_OVERFLOW},
	{'g', LIBUSB_ERROR_NO_DEVICE}, {'x', LIBUSB_ERROR_IO},
};

static void answered(struct link *l, const unsigned char *body, int n) {
	struct request *r = n >= 2 ? l->pending[body[0]] : NULL;
	if (!r)
		return;
	int in = r->kind == 'C' ? r->head[0] & 0x80 : r->kind == 'I' && r->endpoint & 0x80;
	int status = body[1] ? LIBUSB_ERROR_OTHER : 0;
	for (unsigned i = 0; i < sizeof statuses / sizeof *statuses; i++)
		if (body[1] == statuses[i].code)
			status = statuses[i].error;
	int room = r->cancelled && r->packet ? r->packet : r->want - r->got;
	int n_in = in ? least(n - 2, room) : 0;
	if (in && n - 2 > room)
		status = LIBUSB_ERROR_OVERFLOW;
	memcpy(r->data + r->got, body + 2, n_in);
	r->got = in ? r->got + n_in : status ? 0 : r->want;
	if (r->cancelled) {
		r->arrived = 1, r->result = status;
		if (r->orphan)
			abandoned(r);
		return;
	}
	l->pending[body[0]] = NULL;
	if (status == LIBUSB_ERROR_TIMEOUT && (!r->deadline || now_ms() < r->deadline - 1) &&
	    r->patience == r->deadline)
		return post(r); /* taken over from somebody with less time */
	if (more(r, status, n - 2))
		return post(r);
	finish(r, status);
}

static void take(struct link *l) {
	int n = recv(l->fd, l->frame + l->length, sizeof l->frame - l->length, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		return hang_up(l);
	l->length += n;
	while (l->length >= 3) {
		int size = 3 + (l->frame[1] << 8 | l->frame[2]);
		if (size > (int)sizeof l->frame)
			return hang_up(l);
		if (l->length < size)
			return;
		if (l->frame[0] == 'R')
			answered(l, l->frame + 3, size - 3);
		memmove(l->frame, l->frame + size, l->length -= size);
	}
}

/* expire ends requests whose patience has run out. */
static void expire(void) {
	long long now = now_ms();
	for (struct link *l = links; l; l = l->next)
		for (int i = 0; i < 256; i++) {
			struct request *r = l->pending[i];
			if (r && !r->orphan && !r->done && r->patience && now >= r->patience) {
				give_up(r, LIBUSB_ERROR_TIMEOUT);
			}
		}
}

/* turn waits until something has come or until is reached (0: never). One thread at a time reads
 * for all; the others wait for it. */
void turn(long long until) {
	struct pollfd fds[1 + LINKS] = {{bell, POLLIN, 0}};
	eventfd_t rung;
	int n = 1, wait = TURN_MS;
	if (until && until - now_ms() < wait)
		wait = until > now_ms() ? until - now_ms() : 0;
	if (turning) {
		long long at = now_ms() + wait;
		struct timespec t = {at / 1000, at % 1000 * 1000000};
		pthread_cond_timedwait(&turned, &lock, &t);
		return;
	}
	for (struct link *l = links; l && n <= LINKS; l = l->next)
		if (!l->dead)
			fds[n++] = (struct pollfd){l->fd, POLLIN, 0};
	turning = 1;
	pthread_mutex_unlock(&lock);
	poll(fds, n, wait);
	pthread_mutex_lock(&lock);
	turning = 0;
	eventfd_read(bell, &rung);
	for (struct link *l = links; l; l = l->next)
		if (!l->dead)
			take(l);
	expire();
	pthread_cond_broadcast(&turned);
}
