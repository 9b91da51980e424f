/* Gives a program that opened a pseudo-terminal the modem lines of an emulated device: requests
 * for them go to the socket that DEVSIM names, in the frames of nut/transport/devsock. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

static int device = -1;

static void fail(const char *why) {
	write(2, why, strlen(why));
	_exit(99);
}

static void receive(unsigned char *p, int n) {
	for (int k; n > 0; p += k, n -= k)
		if ((k = read(device, p, n)) <= 0)
			fail("closure: the device hung up\n");
}

/* ask sends a frame and returns the last byte of the answer. */
static int ask(char kind, const char *body, int n) {
	unsigned char frame[64] = {kind, 0, n}, head[3], answer[64];
	memcpy(frame + 3, body, n);
	if (write(device, frame, 3 + n) != 3 + n)
		fail("closure: the device takes nothing\n");
	receive(head, 3);
	if ((head[0] != 'O' && head[0] != 'S') || head[2] == 0 || head[2] > sizeof answer)
		fail("closure: the device refuses\n");
	receive(answer, head[2]);
	return answer[head[2] - 1];
}

static void connected(void) {
	struct sockaddr_un to = {AF_UNIX};
	if (device >= 0)
		return;
	strncpy(to.sun_path, getenv("DEVSIM"), sizeof to.sun_path - 1);
	device = socket(AF_UNIX, SOCK_STREAM, 0);
	if (connect(device, (struct sockaddr *)&to, sizeof to) != 0)
		fail("closure: no device\n");
	ask('O', "devsim1\0\0\x09\x60\x08N\x01\x01", 15); /* 2400 8N1, lines are kept */
}

static const struct { int tiocm, bit; } lines[] = {
	{TIOCM_DTR, 1}, {TIOCM_RTS, 2}, {TIOCM_CTS, 4}, {TIOCM_DSR, 8}, {TIOCM_CAR, 16}, {TIOCM_RNG, 32},
};

int ioctl(int fd, unsigned long request, ...) {
	static int (*real)(int, unsigned long, ...);
	va_list args;
	va_start(args, request);
	int *p = va_arg(args, int *);
	va_end(args);
	if (request == TIOCMSET) {
		char body[2] = {0, 0};
		for (int i = 0; i < 2; i++)
			if (*p & lines[i].tiocm)
				body[1] |= lines[i].bit;
		connected();
		ask('L', body, 2);
		return 0;
	}
	if (request == TIOCMGET) {
		connected();
		int now = ask('Q', "", 1);
		*p = 0;
		for (int i = 0; i < 6; i++)
			if (now & lines[i].bit)
				*p |= lines[i].tiocm;
		return 0;
	}
	if (!real)
		real = dlsym(RTLD_NEXT, "ioctl");
	return real(fd, request, p);
}

int tcsendbreak(int fd, int duration) {
	(void)fd;
	connected();
	ask('B', "\0\x01", 2);
	usleep((duration + 99) / 100 * 100000); /* as the C library asks of Linux */
	ask('B', "\0\0", 2);
	return 0;
}
