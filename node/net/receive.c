/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* struct in6_pktinfo, recvmmsg */
#include "node/net/receive.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "node/net/address.h"

#define AT_ONCE      8 /* datagrams by one system call */
#define CONTROL_SIZE 64

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

/* Whether it is one of ours. */
static gboolean read_arrival(struct mmsghdr *got, NetArrival *ret_arrival) {
    struct msghdr *message = &got->msg_hdr;
    NetArrival arrival = {.bytes = {.data = message->msg_iov->iov_base, .length = got->msg_len}};
    if (got->msg_len == 0 || (message->msg_flags & MSG_TRUNC) != 0 ||
        !net_address_from_socket(message->msg_name, &arrival.path)) {
        return FALSE;
    }
    take_control(message, &arrival);
    *ret_arrival = arrival;
    return TRUE;
}

guint net_receive_turn(int socket, NetReceiveEach each, gpointer data) {
    struct mmsghdr got[AT_ONCE];
    struct iovec parts[AT_ONCE];
    struct sockaddr_storage from[AT_ONCE];
    _Alignas(struct cmsghdr) guint8 control[AT_ONCE][CONTROL_SIZE];
    guint8 bytes[AT_ONCE][NET_RECEIVE_SIZE];
    guint dropped = 0;
    for (int turn = 0; turn < NET_RECEIVE_TURN; turn += AT_ONCE) {
        for (int i = 0; i < AT_ONCE; i++) {
            parts[i] = (struct iovec){.iov_base = bytes[i], .iov_len = NET_RECEIVE_SIZE};
            got[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &from[i],
                                                  .msg_namelen = sizeof from[i],
                                                  .msg_iov = &parts[i],
                                                  .msg_iovlen = 1,
                                                  .msg_control = control[i],
                                                  .msg_controllen = CONTROL_SIZE}};
        }
        int count = recvmmsg(socket, got, AT_ONCE, 0, NULL);
        if (count <= 0) {
            break;
        }
        for (int i = 0; i < count; i++) {
            NetArrival arrival;
            if (read_arrival(&got[i], &arrival)) {
                each(data, &arrival);
            } else {
                dropped++;
            }
        }
    }
    return dropped;
}
