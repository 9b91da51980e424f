/* The functions of libusb-1.0 that drivers call, on emulated devices: those at the sockets that
 * DEVSIM names, a socket or a folder of them. Types and numbers are those of libusb.h. */
#define _GNU_SOURCE
#include "wire.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

/* ROOM is what fits into a frame beside the head of a request. */
enum { ROOM = MOST - 16, CONFIGS = 4, PORTS = 7, KNOWN = 32, LOOK_MS = 5000 };

struct libusb_context { int unused; };

struct libusb_device_handle {
	libusb_device *device;
	struct link *link;
	int auto_detach;
	unsigned detached, claimed; /* bits: interfaces */
};

static libusb_context the_context;

int libusb_init(libusb_context **c) {
	if (c)
		*c = &the_context;
	return 0;
}

void libusb_exit(libusb_context *c) { (void)c; }
int libusb_set_option(libusb_context *c, enum libusb_option o, ...) { return (void)c, (void)o, 0; }
void libusb_set_debug(libusb_context *c, int level) { (void)c, (void)level; }
int libusb_has_capability(uint32_t c) { return c == 0; }

const struct libusb_version *libusb_get_version(void) {
	static const struct libusb_version v = {1, 0, 26, 0, "", "emulated"};
	return &v;
}

static const struct { int error; const char *name, *text; } errors[] = {
	{0, "LIBUSB_SUCCESS", "done"},
	{LIBUSB_ERROR_IO, "LIBUSB_ERROR_IO", "failed"},
	{LIBUSB_ERROR_INVALID_PARAM, "LIBUSB_ERROR_INVALID_PARAM", "wrong argument"},
	{LIBUSB_ERROR_ACCESS, "LIBUSB_ERROR_ACCESS", "not allowed"},
	{LIBUSB_ERROR_NO_DEVICE, "LIBUSB_ERROR_NO_DEVICE", "device is gone"},
	{LIBUSB_ERROR_NOT_FOUND, "LIBUSB_ERROR_NOT_FOUND", "not found"},
	{LIBUSB_ERROR_BUSY, "LIBUSB_ERROR_BUSY", "in use"},
	{LIBUSB_ERROR_TIMEOUT, "LIBUSB_ERROR_TIMEOUT", "no answer in time"},
	{LIBUSB_ERROR_OVERFLOW, "LIBUSB_ERROR_OVERFLOW", "more came than was asked for"},
	{LIBUSB_ERROR_PIPE, "LIBUSB_ERROR_PIPE", "stalled"},
	{LIBUSB_ERROR_INTERRUPTED, "LIBUSB_ERROR_INTERRUPTED", "interrupted"},
	{LIBUSB_ERROR_NO_MEM, "LIBUSB_ERROR_NO_MEM", "no memory"},
	{LIBUSB_ERROR_NOT_SUPPORTED, "LIBUSB_ERROR_NOT_SUPPORTED", "not supported"},
	{LIBUSB_ERROR_OTHER, "LIBUSB_ERROR_OTHER", "other error"},
};

static int row(int error) {
	for (unsigned i = 0; i < sizeof errors / sizeof *errors; i++)
		if (errors[i].error == error)
			return i;
	return row(LIBUSB_ERROR_OTHER);
}

const char *libusb_error_name(int error) { return errors[row(error)].name; }
const char *libusb_strerror(int error) { return errors[row(error)].text; }

/* Transfers. */

/* wait_for returns how many bytes went, or the error; done is what went in any case. */
static int wait_for(struct request *r, void *in, int *done) {
	while (!r->done)
		turn(0);
	int got = r->cancelled ? r->given : r->got, status = r->status;
	if (in)
		memcpy(in, r->data, got);
	if (done)
		*done = got;
	let_go(r);
	return status ? status : got;
}

static struct request control(const unsigned char setup[8], unsigned ms) {
	struct request r = {.kind = 'C', .want = setup[6] | setup[7] << 8};
	memcpy(r.head, setup, 8);
	for (int i = 2; i < 6; i += 2) /* big-endian */
		r.head[i] = setup[i + 1], r.head[i + 1] = setup[i];
	r.deadline = ms ? now_ms() + ms : 0;
	return r;
}

static int control_on(struct link *l, unsigned char type, unsigned char request, uint16_t value,
	uint16_t index, void *data, uint16_t n, unsigned ms) {
	unsigned char setup[] = {type, request, value, value >> 8, index, index >> 8, n, n >> 8};
	int in = type & 0x80;
	if (n > ROOM)
		return LIBUSB_ERROR_INVALID_PARAM;
	pthread_mutex_lock(&lock);
	int got = wait_for(ask(l, control(setup, ms), in ? NULL : data), in ? data : NULL, NULL);
	pthread_mutex_unlock(&lock);
	return got;
}

int libusb_control_transfer(libusb_device_handle *h, uint8_t type, uint8_t request, uint16_t value,
	uint16_t index, unsigned char *data, uint16_t n, unsigned ms) {
	return control_on(h->link, type, request, value, index, data, n, ms);
}

/* packet_size of an endpoint, 0 when the device has none of that address. */
static int packet_size(libusb_device *d, unsigned char endpoint) {
	unsigned char *c = d->configs[0];
	for (int i = 0, n = c ? c[2] | c[3] << 8 : 0; i + 1 < n && c[i] >= 2; i += c[i])
		if (c[i + 1] == LIBUSB_DT_ENDPOINT && c[i] >= 7 && c[i + 2] == endpoint)
			return c[i + 4] | (c[i + 5] & 7) << 8;
	return 0;
}

static struct request interrupt(libusb_device *d, unsigned char endpoint, int n, unsigned ms) {
	return (struct request){.kind = 'I', .endpoint = endpoint, .want = n,
		.packet = endpoint & 0x80 ? packet_size(d, endpoint) : 0,
		.deadline = ms ? now_ms() + ms : 0};
}

int libusb_interrupt_transfer(libusb_device_handle *h, unsigned char endpoint, unsigned char *data,
	int n, int *done, unsigned ms) {
	struct request like = interrupt(h->device, endpoint, n, ms);
	int in = endpoint & 0x80;
	if (done)
		*done = 0;
	if (!packet_size(h->device, endpoint) || n > ROOM)
		return LIBUSB_ERROR_IO;
	pthread_mutex_lock(&lock);
	int got = wait_for(ask(h->link, like, in ? NULL : data), in ? data : NULL, done);
	pthread_mutex_unlock(&lock);
	return got < 0 ? got : 0;
}

static int order(libusb_device_handle *h, char kind, unsigned char endpoint) {
	struct request like = {.kind = kind, .endpoint = endpoint, .deadline = now_ms() + LOOK_MS};
	pthread_mutex_lock(&lock);
	int got = wait_for(ask(h->link, like, NULL), NULL, NULL);
	pthread_mutex_unlock(&lock);
	return got;
}

int libusb_clear_halt(libusb_device_handle *h, unsigned char endpoint) {
	return packet_size(h->device, endpoint) ? order(h, 'H', endpoint) : LIBUSB_ERROR_NOT_FOUND;
}

/* After a reset that the device did not survive the handle is to be closed. */
int libusb_reset_device(libusb_device_handle *h) {
	int got = order(h, 'Z', 0);
	return got == LIBUSB_ERROR_NO_DEVICE ? LIBUSB_ERROR_NOT_FOUND : got;
}

struct libusb_transfer *libusb_alloc_transfer(int packets) {
	return calloc(1, sizeof(struct libusb_transfer) +
			packets * sizeof(struct libusb_iso_packet_descriptor));
}

void libusb_free_transfer(struct libusb_transfer *t) {
	if (t && t->flags & LIBUSB_TRANSFER_FREE_BUFFER)
		free(t->buffer);
	free(t);
}

int libusb_submit_transfer(struct libusb_transfer *t) {
	struct request like;
	unsigned char *out = t->endpoint & 0x80 ? NULL : t->buffer;
	if (t->type == LIBUSB_TRANSFER_TYPE_CONTROL) {
		like = control(t->buffer, t->timeout);
		out = t->buffer[0] & 0x80 ? NULL : t->buffer + 8;
	} else {
		like = interrupt(t->dev_handle->device, t->endpoint, t->length, t->timeout);
		if (t->type != LIBUSB_TRANSFER_TYPE_INTERRUPT || t->length > ROOM ||
		    !packet_size(t->dev_handle->device, t->endpoint))
			return LIBUSB_ERROR_IO;
	}
	like.transfer = t;
	pthread_mutex_lock(&lock);
	struct link *l = t->dev_handle->link;
	int status = l->dead ? LIBUSB_ERROR_NO_DEVICE : 0;
	if (!status)
		ask(l, like, out);
	stir();
	pthread_mutex_unlock(&lock);
	return status;
}

int libusb_cancel_transfer(struct libusb_transfer *t) {
	int status = LIBUSB_ERROR_NOT_FOUND;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 256; i++) {
		struct request *r = t->dev_handle->link->pending[i];
		if (r && r->transfer == t && !r->done) {
			cancel(r);
			status = 0;
		}
	}
	pthread_mutex_unlock(&lock);
	return status;
}

static enum libusb_transfer_status ending(int status) {
	switch (status) {
	case 0: return LIBUSB_TRANSFER_COMPLETED;
	case LIBUSB_ERROR_TIMEOUT: return LIBUSB_TRANSFER_TIMED_OUT;
	case LIBUSB_ERROR_INTERRUPTED: return LIBUSB_TRANSFER_CANCELLED;
	case LIBUSB_ERROR_PIPE: return LIBUSB_TRANSFER_STALL;
	case LIBUSB_ERROR_NO_DEVICE: return LIBUSB_TRANSFER_NO_DEVICE;
	case LIBUSB_ERROR_OVERFLOW: return LIBUSB_TRANSFER_OVERFLOW;
	}
	return LIBUSB_TRANSFER_ERROR;
}

/* deliver calls back for what has finished, without the lock. */
static int deliver(void) {
	int n = 0;
	for (struct request *r; (r = finished); n++) {
		struct libusb_transfer *t = r->transfer;
		int head = t->type == LIBUSB_TRANSFER_TYPE_CONTROL ? 8 : 0;
		int in = (head ? r->head[0] : r->endpoint) & 0x80;
		finished = r->next;
		t->actual_length = r->cancelled ? r->given : r->got;
		t->status = ending(r->status);
		if (in)
			memcpy(t->buffer + head, r->data, t->actual_length);
		let_go(r);
		pthread_mutex_unlock(&lock);
		int flags = t->flags;
		if (t->callback)
			t->callback(t);
		if (flags & LIBUSB_TRANSFER_FREE_TRANSFER)
			libusb_free_transfer(t);
		pthread_mutex_lock(&lock);
	}
	return n;
}

int libusb_handle_events_timeout_completed(libusb_context *c, struct timeval *tv, int *completed) {
	long long until = now_ms() + tv->tv_sec * 1000LL + tv->tv_usec / 1000;
	(void)c;
	pthread_mutex_lock(&lock);
	while (!(completed && *completed) && deliver() == 0 && now_ms() < until)
		turn(until);
	pthread_mutex_unlock(&lock);
	return 0;
}

int libusb_handle_events_timeout(libusb_context *c, struct timeval *tv) {
	return libusb_handle_events_timeout_completed(c, tv, NULL);
}

int libusb_handle_events_completed(libusb_context *c, int *completed) {
	struct timeval minute = {60, 0};
	return libusb_handle_events_timeout_completed(c, &minute, completed);
}

int libusb_handle_events(libusb_context *c) { return libusb_handle_events_completed(c, NULL); }

/* Devices. */

libusb_device *libusb_ref_device(libusb_device *d) {
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_SEQ_CST);
	return d;
}

void libusb_unref_device(libusb_device *d) {
	if (__atomic_sub_fetch(&d->refs, 1, __ATOMIC_SEQ_CST) > 0)
		return;
	for (int i = 0; i < CONFIGS; i++)
		free(d->configs[i]);
	free(d);
}

static int descriptor(struct link *l, int type, int index, uint16_t language, void *to, int n) {
	return control_on(l, 0x80, LIBUSB_REQUEST_GET_DESCRIPTOR, type << 8 | index, language, to, n,
		LOOK_MS);
}

/* look reads what the system knows of a device that was plugged in. */
static int look(libusb_device *d) {
	char place[64], port[32] = "";
	unsigned bus = 0, address = 0;
	struct link *l;
	int got = link_open(d->path, &l, place, sizeof place);
	if (got < 0)
		return got;
	sscanf(place, "%u %u %31s", &bus, &address, port);
	d->bus = bus, d->address = address;
	for (char *p = port; *p && d->depth < PORTS; p += *p == '.')
		d->ports[d->depth++] = strtoul(p, &p, 10);
	got = descriptor(l, LIBUSB_DT_DEVICE, 0, 0, &d->about, LIBUSB_DT_DEVICE_SIZE);
	for (int i = 0; i < d->about.bNumConfigurations && i < CONFIGS && got >= 0; i++) {
		unsigned char head[9] = {0};
		got = descriptor(l, LIBUSB_DT_CONFIG, i, 0, head, sizeof head);
		int n = head[2] | head[3] << 8;
		d->configs[i] = calloc(1, n + 9);
		if (got >= 0)
			got = descriptor(l, LIBUSB_DT_CONFIG, i, 0, d->configs[i], n);
	}
	pthread_mutex_lock(&lock);
	link_close(l);
	pthread_mutex_unlock(&lock);
	return got;
}

/* known is the device that was last seen at a path, and stays so while it is too busy to be looked
 * at: a system would know it by heart. */
static libusb_device **known(const char *path) {
	static libusb_device *all[KNOWN];
	for (int i = 0; i < KNOWN; i++)
		if (!all[i] || strcmp(all[i]->path, path) == 0)
			return &all[i];
	return &all[KNOWN - 1];
}

static void add(libusb_device ***list, ssize_t *n, const char *path) {
	struct stat s;
	libusb_device *d;
	if (stat(path, &s) != 0 || !S_ISSOCK(s.st_mode) || strlen(path) >= sizeof d->path)
		return;
	d = calloc(1, sizeof *d);
	d->refs = 1;
	strcpy(d->path, path);
	int got = look(d);
	pthread_mutex_lock(&lock);
	libusb_device **last = known(path);
	if (got == LIBUSB_ERROR_BUSY && *last && strcmp((*last)->path, path) == 0) {
		libusb_unref_device(d);
		d = libusb_ref_device(*last);
		got = 0;
	} else if (got >= 0) {
		if (*last)
			libusb_unref_device(*last);
		*last = libusb_ref_device(d);
	}
	pthread_mutex_unlock(&lock);
	if (got < 0)
		return libusb_unref_device(d);
	*list = realloc(*list, (*n + 2) * sizeof **list);
	(*list)[(*n)++] = d;
	(*list)[*n] = NULL;
}

ssize_t libusb_get_device_list(libusb_context *c, libusb_device ***list) {
	const char *where = getenv("DEVSIM");
	struct dirent **names;
	ssize_t n = 0;
	(void)c;
	*list = calloc(1, sizeof **list);
	if (!where)
		return 0;
	int count = scandir(where, &names, NULL, alphasort);
	if (count < 0)
		add(list, &n, where);
	for (int i = 0; i < count; i++) {
		char path[4096];
		snprintf(path, sizeof path, "%s/%s", where, names[i]->d_name);
		add(list, &n, path);
		free(names[i]);
	}
	if (count >= 0)
		free(names);
	return n;
}

void libusb_free_device_list(libusb_device **list, int unref) {
	for (int i = 0; list && unref && list[i]; i++)
		libusb_unref_device(list[i]);
	free(list);
}

uint8_t libusb_get_bus_number(libusb_device *d) { return d->bus; }
uint8_t libusb_get_device_address(libusb_device *d) { return d->address; }
uint8_t libusb_get_port_number(libusb_device *d) { return d->depth ? d->ports[d->depth - 1] : 0; }
int libusb_get_device_speed(libusb_device *d) { return (void)d, LIBUSB_SPEED_LOW; }
libusb_device *libusb_get_parent(libusb_device *d) { return (void)d, NULL; }

int libusb_get_port_numbers(libusb_device *d, uint8_t *ports, int n) {
	if (n < d->depth)
		return LIBUSB_ERROR_OVERFLOW;
	memcpy(ports, d->ports, d->depth);
	return d->depth;
}

int libusb_get_max_packet_size(libusb_device *d, unsigned char endpoint) {
	int n = packet_size(d, endpoint);
	return n ? n : LIBUSB_ERROR_NOT_FOUND;
}

int libusb_open(libusb_device *d, libusb_device_handle **handle) {
	char place[64];
	libusb_device_handle *h = calloc(1, sizeof *h);
	int got = link_open(d->path, &h->link, place, sizeof place);
	if (got < 0) {
		free(h);
		return got;
	}
	h->device = libusb_ref_device(d);
	*handle = h;
	return 0;
}

void libusb_close(libusb_device_handle *h) {
	if (!h)
		return;
	pthread_mutex_lock(&lock);
	link_close(h->link);
	pthread_mutex_unlock(&lock);
	libusb_unref_device(h->device);
	free(h);
}

libusb_device *libusb_get_device(libusb_device_handle *h) { return h->device; }

libusb_device_handle *libusb_open_device_with_vid_pid(libusb_context *c, uint16_t vendor,
	uint16_t product) {
	libusb_device_handle *h = NULL;
	libusb_device **list;
	ssize_t n = libusb_get_device_list(c, &list);
	for (ssize_t i = 0; i < n && !h; i++)
		if (list[i]->about.idVendor == vendor && list[i]->about.idProduct == product)
			libusb_open(list[i], &h);
	libusb_free_device_list(list, 1);
	return h;
}

/* holder tells whether a driver of the system would hold an interface, as it does those for humans;
 * -1 when there is no such interface. */
static int holder(libusb_device *d, int number) {
	unsigned char *c = d->configs[0];
	for (int i = 0, n = c ? c[2] | c[3] << 8 : 0; i + 1 < n && c[i] >= 2; i += c[i])
		if (c[i + 1] == LIBUSB_DT_INTERFACE && c[i] >= 9 && c[i + 2] == number)
			return c[i + 5] == LIBUSB_CLASS_HID;
	return -1;
}

static unsigned bit(int interface) { return 1u << (interface & 31); }

int libusb_kernel_driver_active(libusb_device_handle *h, int interface) {
	return h->link->dead ? LIBUSB_ERROR_NO_DEVICE :
		holder(h->device, interface) == 1 && !(h->detached & bit(interface));
}

int libusb_detach_kernel_driver(libusb_device_handle *h, int interface) {
	int active = libusb_kernel_driver_active(h, interface);
	if (active == 1)
		h->detached |= bit(interface);
	return active == 1 ? 0 : active < 0 ? active : LIBUSB_ERROR_NOT_FOUND;
}

int libusb_attach_kernel_driver(libusb_device_handle *h, int interface) {
	if (h->claimed & bit(interface))
		return LIBUSB_ERROR_BUSY;
	if (!(h->detached & bit(interface)))
		return LIBUSB_ERROR_NOT_FOUND;
	h->detached &= ~bit(interface);
	return 0;
}

int libusb_set_auto_detach_kernel_driver(libusb_device_handle *h, int on) {
	h->auto_detach = on;
	return 0;
}

int libusb_claim_interface(libusb_device_handle *h, int interface) {
	if (holder(h->device, interface) < 0)
		return LIBUSB_ERROR_NOT_FOUND;
	if (h->auto_detach)
		libusb_detach_kernel_driver(h, interface);
	int active = libusb_kernel_driver_active(h, interface);
	if (active)
		return active < 0 ? active : LIBUSB_ERROR_BUSY;
	h->claimed |= bit(interface);
	return 0;
}

int libusb_release_interface(libusb_device_handle *h, int interface) {
	if (!(h->claimed & bit(interface)))
		return LIBUSB_ERROR_NOT_FOUND;
	h->claimed &= ~bit(interface);
	if (h->auto_detach)
		h->detached &= ~bit(interface);
	return h->link->dead ? LIBUSB_ERROR_NO_DEVICE : 0;
}

int libusb_get_configuration(libusb_device_handle *h, int *number) {
	if (h->link->dead)
		return LIBUSB_ERROR_NO_DEVICE;
	*number = h->device->configs[0] ? h->device->configs[0][5] : 0;
	return 0;
}

int libusb_set_configuration(libusb_device_handle *h, int number) {
	if (h->claimed)
		return LIBUSB_ERROR_BUSY;
	int got = control_on(h->link, 0, LIBUSB_REQUEST_SET_CONFIGURATION, number, 0, NULL, 0, LOOK_MS);
	return got == LIBUSB_ERROR_PIPE ? LIBUSB_ERROR_NOT_FOUND : got;
}

/* A device with one setting may stall on this; systems forgive it. */
int libusb_set_interface_alt_setting(libusb_device_handle *h, int interface, int setting) {
	if (!(h->claimed & bit(interface)) || setting != 0)
		return LIBUSB_ERROR_NOT_FOUND;
	int got = control_on(h->link, 1, LIBUSB_REQUEST_SET_INTERFACE, setting, interface, NULL, 0,
		LOOK_MS);
	return got == LIBUSB_ERROR_PIPE ? 0 : got;
}
