/* The connection to one emulated device: requests in the frames of nut/transport/devsock. */
#ifndef WIRE_H
#define WIRE_H
#include <libusb.h>
#include <pthread.h>

#define MOST 4096 /* bytes in a frame, without its head */

struct link;

/* A request waits for its answer in link->pending. When nobody waits for it any more (the program
 * cancelled), a read of an interrupt endpoint stays, so that its packet is not lost: the next
 * reader of the endpoint takes it over. */
struct request {
	struct link *link;
	struct request *next; /* in the list of those finished */
	struct libusb_transfer *transfer;
	int done, status;       /* status: 0 or an error of libusb */
	int cancelled;          /* done before its answer */
	int arrived, result;    /* the answer has come since, and what it was */
	int orphan;
	unsigned char kind, seq, endpoint;
	unsigned char head[8]; /* of a control transfer */
	int want, got;
	int packet; /* of an interrupt endpoint that is read: its packets are asked for one by one, so
	             * that what nobody waits for any more fits the next reader */
	int given;  /* what a cancelled transfer has got */
	long long deadline;  /* what the program asked for, ms of the monotonic clock; 0: never */
	long long patience;  /* when to give up without an answer; 0: never */
	unsigned char *data; /* want bytes */
};

struct link {
	struct link *next;
	int fd, dead, length;
	unsigned char seq, frame[3 + MOST];
	struct request *pending[256];
};

extern pthread_mutex_t lock; /* guards all that is declared here */
extern struct request *finished;

struct libusb_device {
	int refs;
	char path[108];
	uint8_t bus, address, ports[7];
	int depth; /* of ports */
	struct libusb_device_descriptor about;
	unsigned char *configs[4];
};

/* All but link_open are called with the lock held. */
int link_open(const char *path, struct link **link, char *place, int size);
void link_close(struct link *link);
struct request *ask(struct link *link, struct request like, const void *out);
void let_go(struct request *r);
void cancel(struct request *r);
void turn(long long until);
void stir(void);
long long now_ms(void);
#endif
