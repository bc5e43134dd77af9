/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/netlink.h"

/* The macros of <linux/netlink.h> do the same by casts that clang warns of. */
static void skip(NetNetlink *part, gsize length) {
    gsize aligned = MIN(NLMSG_ALIGN(length), part->left);
    part->at += aligned;
    part->left -= aligned;
}

const struct nlmsghdr *net_netlink_message(NetNetlink *part) {
    const struct nlmsghdr *message = (const void *)part->at;
    if (part->left < sizeof *message || message->nlmsg_len < sizeof *message ||
        message->nlmsg_len > part->left) {
        return NULL;
    }
    skip(part, message->nlmsg_len);
    return message;
}

const void *net_netlink_header(const struct nlmsghdr *message, gsize size,
                               NetNetlink *ret_attributes) {
    NetNetlink rest = {.at = (const guint8 *)message, .left = message->nlmsg_len};
    skip(&rest, NLMSG_HDRLEN);
    if (rest.left < size) {
        return NULL;
    }
    const void *header = rest.at;
    skip(&rest, size);
    *ret_attributes = rest;
    return header;
}

const struct rtattr *net_netlink_attribute(NetNetlink *attributes) {
    const struct rtattr *attribute = (const void *)attributes->at;
    if (attributes->left < sizeof *attribute || attribute->rta_len < sizeof *attribute ||
        attribute->rta_len > attributes->left) {
        return NULL;
    }
    skip(attributes, attribute->rta_len);
    return attribute;
}

const void *net_netlink_value(const struct rtattr *attribute, gsize size) {
    return attribute->rta_len >= RTA_LENGTH(size) ? (const guint8 *)attribute + RTA_LENGTH(0)
                                                  : NULL;
}
