/* SPDX-License-Identifier: MPL-2.0 */
#define _GNU_SOURCE /* struct in6_pktinfo, sendmmsg */
#include "node/net/batch.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "mesh/limits.h"
#include "node/net/address.h"

/* One that waits; the message points into it. */
typedef struct {
    struct sockaddr_storage to;
    _Alignas(struct cmsghdr) guint8 control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
    struct iovec part;
    guint8 bytes[MESH_DATAGRAM_MAX];
} Waiting;

struct NetBatch {
    guint64 *sent;
    guint64 *failed;
    int socket; /* of all that wait */
    guint count;
    struct mmsghdr messages[NET_BATCH_SIZE];
    Waiting waiting[NET_BATCH_SIZE];
};

NetBatch *net_batch_create(guint64 *sent, guint64 *failed) {
    NetBatch *batch = g_new0(NetBatch, 1);
    batch->sent = sent;
    batch->failed = failed;
    return batch;
}

void net_batch_destroy(NetBatch *batch) {
    g_free(batch);
}

/* Writes the control message that names interface and source; returns its length. */
static gsize write_control(struct cmsghdr *item, guint8 family, guint32 interface,
                           const guint8 *local) {
    if (family == 4) {
        struct in_pktinfo info = {.ipi_ifindex = (int)interface};
        if (local != NULL) {
            memcpy(&info.ipi_spec_dst, local, 4);
        }
        *item = (struct cmsghdr){
            .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO};
        memcpy(CMSG_DATA(item), &info, sizeof info);
        return CMSG_SPACE(sizeof info);
    }
    struct in6_pktinfo info = {.ipi6_ifindex = interface};
    if (local != NULL) {
        memcpy(&info.ipi6_addr, local, 16);
    }
    *item = (struct cmsghdr){
        .cmsg_len = CMSG_LEN(sizeof info), .cmsg_level = IPPROTO_IPV6, .cmsg_type = IPV6_PKTINFO};
    memcpy(CMSG_DATA(item), &info, sizeof info);
    return CMSG_SPACE(sizeof info);
}

void net_batch_add(NetBatch *batch, int socket, const MeshPath *to, guint32 interface,
                   const guint8 *local, Bytes bytes) {
    if (bytes.length > MESH_DATAGRAM_MAX) {
        ++*batch->failed;
        return;
    }
    if (batch->count == NET_BATCH_SIZE || (batch->count > 0 && batch->socket != socket)) {
        net_batch_leave(batch);
    }
    Waiting *waiting = &batch->waiting[batch->count];
    memcpy(waiting->bytes, bytes.data, bytes.length);
    waiting->part = (struct iovec){.iov_base = waiting->bytes, .iov_len = bytes.length};
    struct msghdr message = {.msg_name = &waiting->to,
                             .msg_namelen = net_address_to_socket(to, &waiting->to),
                             .msg_iov = &waiting->part,
                             .msg_iovlen = 1};
    if (interface != 0 || local != NULL) {
        memset(waiting->control, 0, sizeof waiting->control);
        message.msg_control = waiting->control;
        message.msg_controllen =
            write_control((void *)waiting->control, to->family, interface, local);
    }
    batch->messages[batch->count++] = (struct mmsghdr){.msg_hdr = message};
    batch->socket = socket;
}

void net_batch_leave(NetBatch *batch) {
    guint done = 0;
    while (done < batch->count) {
        int left =
            sendmmsg(batch->socket, batch->messages + done, batch->count - done, MSG_NOSIGNAL);
        if (left > 0) {
            *batch->sent += (guint)left;
            done += (guint)left;
        } else {
            ++*batch->failed;
            done++;
        }
    }
    batch->count = 0;
}
