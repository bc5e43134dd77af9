/* SPDX-License-Identifier: MPL-2.0 */
#include "node/net/interfaces.h"

#include <errno.h>
#include <gio/gio.h>
#include <linux/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/net/address.h"
#include "node/net/netlink.h"

#define DUMP_SIZE       32768 /* the kernel's own bound of one part */
#define DUMP_TIMEOUT_US 500000
#define PICTURE_COUNT   256 /* interfaces, and addresses, beyond which the rest is not looked at */

typedef void (*DumpEach)(NetInterfaces *interfaces, const struct nlmsghdr *message);

static gboolean fail(GError **error) {
    int code = errno;
    g_set_error_literal(error, G_IO_ERROR, g_io_error_from_errno(code), g_strerror(code));
    return FALSE;
}

static NetInterface *find(const NetInterfaces *interfaces, guint32 index) {
    for (guint i = 0; i < interfaces->interfaces->len; i++) {
        NetInterface *interface = &g_array_index(interfaces->interfaces, NetInterface, i);
        if (interface->index == index) {
            return interface;
        }
    }
    return NULL;
}

static void take_link(NetInterfaces *interfaces, const struct nlmsghdr *message) {
    NetNetlink attributes;
    const struct ifinfomsg *link = net_netlink_header(message, sizeof *link, &attributes);
    if (link == NULL || (link->ifi_flags & IFF_UP) == 0 ||
        (link->ifi_flags & (IFF_RUNNING | IFF_LOOPBACK)) == 0 ||
        interfaces->interfaces->len == PICTURE_COUNT) {
        return;
    }
    NetInterface interface = {.index = (guint32)link->ifi_index,
                              .loopback = (link->ifi_flags & IFF_LOOPBACK) != 0};
    g_array_append_val(interfaces->interfaces, interface);
}

static NetAddressRank rank_of(const MeshPath *path, guint32 flags) {
    if (net_address_is_loopback(path)) {
        return NET_ADDRESS_LOOPBACK;
    }
    if (mesh_path_is_link_local(path)) {
        return NET_ADDRESS_LINK_LOCAL;
    }
    gboolean public = net_address_is_public(path);
    if (path->family == 4) {
        return public ? NET_ADDRESS_PUBLIC_V4 : NET_ADDRESS_PRIVATE_V4;
    }
    if ((flags & IFA_F_TEMPORARY) != 0) {
        return NET_ADDRESS_TEMPORARY_V6;
    }
    return public ? NET_ADDRESS_PUBLIC_V6 : NET_ADDRESS_LOCAL_V6;
}

static void add(NetInterfaces *interfaces, const MeshPath *path, guint32 flags) {
    for (guint i = 0; i < interfaces->addresses->len; i++) {
        if (mesh_path_equal(&g_array_index(interfaces->addresses, NetAddress, i).path, path)) {
            return;
        }
    }
    NetAddress address = {.rank = rank_of(path, flags), .path = *path};
    g_array_append_val(interfaces->addresses, address);
}

/* Reads flags and address; NULL: it has none. */
static const void *read_address(NetNetlink *attributes, gsize size, guint32 *flags) {
    const void *ip = NULL, *value;
    for (const struct rtattr *item; (item = net_netlink_attribute(attributes)) != NULL;) {
        if (item->rta_type == IFA_FLAGS &&
            (value = net_netlink_value(item, sizeof *flags)) != NULL) {
            memcpy(flags, value, sizeof *flags);
        }
        /* On a point-to-point link IFA_ADDRESS is the other end, and IFA_LOCAL this one. */
        if ((item->rta_type == IFA_LOCAL || (item->rta_type == IFA_ADDRESS && ip == NULL)) &&
            (value = net_netlink_value(item, size)) != NULL) {
            ip = value;
        }
    }
    return ip;
}

static void take_address(NetInterfaces *interfaces, const struct nlmsghdr *message) {
    NetNetlink attributes;
    const struct ifaddrmsg *header = net_netlink_header(message, sizeof *header, &attributes);
    if (header == NULL || (header->ifa_family != AF_INET && header->ifa_family != AF_INET6)) {
        return;
    }
    guint8 family = header->ifa_family == AF_INET ? 4 : 6;
    gsize size = family == 4 ? 4 : 16;
    guint32 flags = header->ifa_flags;
    NetInterface *interface = find(interfaces, header->ifa_index);
    const void *ip = read_address(&attributes, size, &flags);
    gboolean unsure = (flags & IFA_F_TENTATIVE) != 0 && (flags & IFA_F_OPTIMISTIC) == 0;
    if (interface == NULL || interfaces->addresses->len == PICTURE_COUNT || ip == NULL || unsure ||
        (flags & (IFA_F_DADFAILED | IFA_F_DEPRECATED)) != 0) {
        return;
    }
    MeshPath path = {.kind = MESH_PATH_KNOCK, .family = family};
    memcpy(path.ip, ip, size);
    path.interface = mesh_path_is_link_local(&path) ? interface->index : 0;
    if (family == 4 && !interface->has_v4) {
        memcpy(interface->v4, ip, 4);
    }
    interface->has_v4 |= family == 4;
    interface->has_v6 |= family == 6;
    add(interfaces, &path, flags);
}

/* Takes the messages of one part; FALSE when it was the last, `errno` 0 when all is well. */
static gboolean take_part(NetInterfaces *interfaces, const guint8 *part, gsize length, guint16 type,
                          DumpEach each) {
    NetNetlink rest = {.at = part, .left = length};
    for (const struct nlmsghdr *message; (message = net_netlink_message(&rest)) != NULL;) {
        if (message->nlmsg_type == NLMSG_DONE) {
            errno = 0;
            return FALSE;
        }
        if (message->nlmsg_type == NLMSG_ERROR) {
            NetNetlink attributes;
            const struct nlmsgerr *refusal =
                net_netlink_header(message, sizeof *refusal, &attributes);
            errno = refusal != NULL ? -refusal->error : EPROTO;
            return FALSE;
        }
        if (message->nlmsg_type == type) {
            each(interfaces, message);
        }
    }
    return TRUE;
}

static gboolean dump(int netlink, NetInterfaces *interfaces, guint16 ask, guint16 type,
                     DumpEach each) {
    struct {
        struct nlmsghdr header;
        struct ifinfomsg link; /* as long as ifaddrmsg, and longer */
    } request = {.header = {.nlmsg_len = sizeof request,
                            .nlmsg_type = ask,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP}};
    if (send(netlink, &request, sizeof request, 0) < 0) {
        return FALSE;
    }
    g_autofree guint8 *part = g_malloc(DUMP_SIZE);
    gssize length;
    do {
        length = recv(netlink, part, DUMP_SIZE, 0);
        if (length <= 0) {
            errno = length < 0 ? errno : EPROTO;
            return FALSE;
        }
    } while (take_part(interfaces, part, (gsize)length, type, each));
    return errno == 0;
}

static gint by_rank(gconstpointer left, gconstpointer right) {
    return (gint)((const NetAddress *)left)->rank - (gint)((const NetAddress *)right)->rank;
}

gboolean net_interfaces_read(NetInterfaces *ret_interfaces, GError **error) {
    int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (netlink < 0) {
        return fail(error);
    }
    struct timeval timeout = {.tv_usec = DUMP_TIMEOUT_US};
    setsockopt(netlink, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    NetInterfaces interfaces = {
        .interfaces = g_array_new(FALSE, FALSE, sizeof(NetInterface)),
        .addresses = g_array_new(FALSE, FALSE, sizeof(NetAddress)),
    };
    gboolean done = dump(netlink, &interfaces, RTM_GETLINK, RTM_NEWLINK, take_link) &&
                    dump(netlink, &interfaces, RTM_GETADDR, RTM_NEWADDR, take_address);
    if (done) {
        g_array_sort(interfaces.addresses, by_rank);
        net_interfaces_finish(ret_interfaces);
        *ret_interfaces = interfaces;
    } else {
        fail(error);
        net_interfaces_finish(&interfaces);
    }
    close(netlink);
    return done;
}

void net_interfaces_finish(NetInterfaces *interfaces) {
    g_clear_pointer(&interfaces->interfaces, g_array_unref);
    g_clear_pointer(&interfaces->addresses, g_array_unref);
}

gboolean net_interfaces_reach(const NetInterfaces *interfaces, NetAddressRank rank) {
    return rank != NET_ADDRESS_LOOPBACK || interfaces->addresses->len == 0 ||
           g_array_index(interfaces->addresses, NetAddress, 0).rank >= NET_ADDRESS_LINK_LOCAL;
}

gboolean net_interfaces_own(const NetInterfaces *interfaces, const MeshPath *path) {
    for (guint i = 0; i < interfaces->addresses->len; i++) {
        const MeshPath *own = &g_array_index(interfaces->addresses, NetAddress, i).path;
        if (own->family == path->family && memcmp(own->ip, path->ip, 16) == 0) {
            return TRUE;
        }
    }
    return FALSE;
}
