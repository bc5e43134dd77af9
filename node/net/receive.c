/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* struct in6_pktinfo */
#include "node/net/receive.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/net/address.h"

int net_receive_socket(guint8 family) {
    int one = 1;
    int descriptor = socket(family == 4 ? AF_INET : AF_INET6,
                            SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP);
    if (descriptor < 0) {
        return -1;
    }
    if (family == 4) {
        setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
    } else {
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
        setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
    }
    return descriptor;
}

static void take_control(struct msghdr *message, NetArrival *arrival) {
    for (struct cmsghdr *item = CMSG_FIRSTHDR(message); item != NULL;
         item = CMSG_NXTHDR(message, item)) {
        if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            arrival->interface = (guint32)info.ipi_ifindex;
            memcpy(arrival->local, &info.ipi_addr, 4);
        } else if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(item), sizeof info);
            arrival->interface = info.ipi6_ifindex;
            memcpy(arrival->local, &info.ipi6_addr, 16);
        }
    }
    /* IPv4 has no scope of its own: the interface tells one 169.254.1.2 from another. */
    if (mesh_path_is_link_local(&arrival->path)) {
        arrival->path.interface = arrival->interface;
    }
}

guint net_receive_turn(int socket, NetReceiveEach each, gpointer data) {
    guint8 bytes[NET_RECEIVE_SIZE];
    guint dropped = 0;
    for (int turn = 0; turn < NET_RECEIVE_TURN; turn++) {
        _Alignas(struct cmsghdr) guint8 control[256];
        struct sockaddr_storage from = {0};
        struct iovec part = {.iov_base = bytes, .iov_len = sizeof bytes};
        struct msghdr message = {.msg_name = &from,
                                 .msg_namelen = sizeof from,
                                 .msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = control,
                                 .msg_controllen = sizeof control};
        gssize length = recvmsg(socket, &message, 0);
        if (length < 0) {
            break;
        }
        NetArrival arrival = {.bytes = {.data = bytes, .length = (gsize)length}};
        if (length == 0 || (message.msg_flags & MSG_TRUNC) != 0 ||
            !net_address_from_socket(&from, &arrival.path)) {
            dropped++;
            continue;
        }
        take_control(&message, &arrival);
        each(data, &arrival);
    }
    return dropped;
}
