/* Descriptors in the form that libusb.h gives them. */
#include "wire.h"
#include <stdlib.h>
#include <string.h>

int libusb_get_device_descriptor(libusb_device *d, struct libusb_device_descriptor *to) {
	*to = d->about; /* its numbers are little-endian on the wire, as on the machines of the tests */
	return 0;
}

/* keep adds a descriptor that is not understood here to those of its owner. */
static void keep(const unsigned char **extra, int *length, const unsigned char *p) {
	unsigned char *all = realloc((void *)*extra, *length + p[0]);
	memcpy(all + *length, p, p[0]);
	*extra = all;
	*length += p[0];
}

static struct libusb_interface_descriptor *add_setting(struct libusb_config_descriptor *c,
	const unsigned char *p) {
	struct libusb_interface *all = (void *)c->interface;
	for (int i = 0; i < c->bNumInterfaces; i++) {
		struct libusb_interface_descriptor *s = (void *)all[i].altsetting;
		if (s && s->bInterfaceNumber != p[2])
			continue;
		all[i].altsetting = s = realloc(s, (all[i].num_altsetting + 1) * sizeof *s);
		s += all[i].num_altsetting++;
		memset(s, 0, sizeof *s);
		memcpy(s, p, 9); /* nine bytes in both forms */
		s->bNumEndpoints = 0;
		s->endpoint = calloc(p[4] + 1, sizeof *s->endpoint);
		return s;
	}
	return NULL;
}

static struct libusb_endpoint_descriptor *add_endpoint(struct libusb_interface_descriptor *s,
	const unsigned char *p, int most) {
	struct libusb_endpoint_descriptor *e = (void *)s->endpoint;
	if (s->bNumEndpoints >= most)
		return NULL;
	e += s->bNumEndpoints++;
	e->bLength = p[0];
	e->bDescriptorType = p[1];
	e->bEndpointAddress = p[2];
	e->bmAttributes = p[3];
	e->wMaxPacketSize = p[4] | p[5] << 8;
	e->bInterval = p[6];
	return e;
}

static struct libusb_config_descriptor *parse(const unsigned char *p, int n) {
	struct libusb_config_descriptor *c = calloc(1, sizeof *c);
	struct libusb_interface_descriptor *setting = NULL;
	struct libusb_endpoint_descriptor *endpoint = NULL;
	int most = 0; /* endpoints of setting */
	c->bLength = p[0];
	c->bDescriptorType = p[1];
	c->wTotalLength = n;
	c->bNumInterfaces = p[4];
	c->bConfigurationValue = p[5];
	c->iConfiguration = p[6];
	c->bmAttributes = p[7];
	c->MaxPower = p[8];
	c->interface = calloc(p[4] + 1, sizeof *c->interface);
	for (int i = p[0]; i + 1 < n && p[i] >= 2 && i + p[i] <= n; i += p[i]) {
		const unsigned char *q = p + i;
		if (q[1] == LIBUSB_DT_INTERFACE && q[0] >= 9) {
			setting = add_setting(c, q);
			endpoint = NULL;
			most = q[4];
		} else if (q[1] == LIBUSB_DT_ENDPOINT && q[0] >= 7 && setting) {
			endpoint = add_endpoint(setting, q, most);
		} else if (endpoint) {
			keep(&endpoint->extra, &endpoint->extra_length, q);
		} else if (setting) {
			keep(&setting->extra, &setting->extra_length, q);
		} else {
			keep(&c->extra, &c->extra_length, q);
		}
	}
	return c;
}

int libusb_get_config_descriptor(libusb_device *d, uint8_t index,
	struct libusb_config_descriptor **to) {
	if (index >= sizeof d->configs / sizeof *d->configs || !d->configs[index])
		return LIBUSB_ERROR_NOT_FOUND;
	unsigned char *p = d->configs[index];
	*to = parse(p, p[2] | p[3] << 8);
	return 0;
}

int libusb_get_active_config_descriptor(libusb_device *d, struct libusb_config_descriptor **to) {
	return libusb_get_config_descriptor(d, 0, to);
}

int libusb_get_config_descriptor_by_value(libusb_device *d, uint8_t value,
	struct libusb_config_descriptor **to) {
	for (unsigned i = 0; i < sizeof d->configs / sizeof *d->configs; i++)
		if (d->configs[i] && d->configs[i][5] == value)
			return libusb_get_config_descriptor(d, i, to);
	return LIBUSB_ERROR_NOT_FOUND;
}

void libusb_free_config_descriptor(struct libusb_config_descriptor *c) {
	for (int i = 0; c && i < c->bNumInterfaces; i++) {
		for (int j = 0; j < c->interface[i].num_altsetting; j++) {
			const struct libusb_interface_descriptor *s = &c->interface[i].altsetting[j];
			for (int k = 0; k < s->bNumEndpoints; k++)
				free((void *)s->endpoint[k].extra);
			free((void *)s->endpoint);
			free((void *)s->extra);
		}
		free((void *)c->interface[i].altsetting);
	}
	if (c) {
		free((void *)c->interface);
		free((void *)c->extra);
	}
	free(c);
}

/* The first language of the device; what is no ASCII becomes a question mark. */
int libusb_get_string_descriptor_ascii(libusb_device_handle *h, uint8_t index, unsigned char *to,
	int size) {
	unsigned char b[255];
	int n, got = libusb_get_string_descriptor(h, 0, 0, b, 4); /* as Debian's */
	if (index == 0)
		return LIBUSB_ERROR_INVALID_PARAM;
	if (got < 4)
		return got < 0 ? got : LIBUSB_ERROR_IO;
	got = libusb_get_string_descriptor(h, index, b[2] | b[3] << 8, b, sizeof b);
	if (got < 0)
		return got;
	if (got < 2 || b[1] != LIBUSB_DT_STRING || b[0] > got)
		return LIBUSB_ERROR_IO;
	for (n = 0; 2 + 2 * n + 1 < b[0] && n < size - 1; n++)
		to[n] = b[2 + 2 * n] & 0x80 || b[3 + 2 * n] ? '?' : b[2 + 2 * n];
	to[n] = 0;
	return n;
}
