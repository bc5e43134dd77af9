/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Walking through what the kernel says on netlink (RFC 3549), within its bounds.
 * It borrows the bytes, which begin where a message may begin. It never reads a socket.
 */
#pragma once

#include <glib.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

typedef struct {
    const guint8 *at;
    gsize left;
} NetNetlink;

/* The next message, whole; NULL at the end. */
const struct nlmsghdr *net_netlink_message(NetNetlink *part);
/* A message's own header, which is followed by attributes; NULL when the message is shorter. */
const void *net_netlink_header(const struct nlmsghdr *message, gsize size,
                               NetNetlink *ret_attributes);
/* The next attribute, whole; NULL at the end. */
const struct rtattr *net_netlink_attribute(NetNetlink *attributes);
/* Its value when it has at least `size` bytes, else NULL. */
const void *net_netlink_value(const struct rtattr *attribute, gsize size);
