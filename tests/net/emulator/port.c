/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_BUFFER_BYTES = 4 << 20 };

/* A veth with offloads hands over frames larger than the MTU and checksums nobody computed. */
static void offloads_disable(int descriptor, const char *name) {
    static const uint32_t commands[] = {ETHTOOL_STXCSUM, ETHTOOL_SRXCSUM, ETHTOOL_SSG,
                                        ETHTOOL_STSO,    ETHTOOL_SGSO,    ETHTOOL_SGRO};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        struct ethtool_value value = {.cmd = commands[i], .data = 0};
        struct ifreq request = {0};
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        request.ifr_data = (char *)&value;
        ioctl(descriptor, SIOCETHTOOL, &request); /* some drivers know only some of them */
    }
}

static bool port_configure(EmulatorPort *port, unsigned index) {
    int one = 1;
    int size = RECEIVE_BUFFER_BYTES;
    struct packet_mreq promiscuous = {.mr_ifindex = (int)index, .mr_type = PACKET_MR_PROMISC};
    struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)index};
    /* Best effort: only root of the machine may pass the system's maximum. */
    setsockopt(port->descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
    setsockopt(port->descriptor, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    return setsockopt(port->descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one) ==
               0 &&
           setsockopt(port->descriptor, SOL_PACKET, PACKET_AUXDATA, &one, sizeof one) == 0 &&
           setsockopt(port->descriptor, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous,
                      sizeof promiscuous) == 0 &&
           bind(port->descriptor, (const struct sockaddr *)&address, sizeof address) == 0;
}

bool emulator_port_open(EmulatorPort *port, const char *name) {
    unsigned index = if_nametoindex(name);
    *port = (EmulatorPort){.descriptor = -1};
    if (index == 0) {
        fprintf(stderr, "emulator: no interface %s\n", name);
        return false;
    }
    snprintf(port->name, sizeof port->name, "%s", name);
    /* Protocol 0 receives nothing until bound, so no other interface's frame slips in. */
    port->descriptor = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (port->descriptor < 0 || !port_configure(port, index)) {
        fprintf(stderr, "emulator: %s: %s\n", name, strerror(errno));
        emulator_port_close(port);
        return false;
    }
    offloads_disable(port->descriptor, name);
    return true;
}

void emulator_port_close(EmulatorPort *port) {
    if (port->descriptor >= 0)
        close(port->descriptor);
    port->descriptor = -1;
}

static EmulatorChecksum message_checksum(struct msghdr *message) {
    struct cmsghdr *control = CMSG_FIRSTHDR(message);
    struct tpacket_auxdata auxiliary;
    if (control == NULL || control->cmsg_type != PACKET_AUXDATA ||
        control->cmsg_len < CMSG_LEN(sizeof auxiliary))
        return EMULATOR_CHECKSUM_READY;
    memcpy(&auxiliary, CMSG_DATA(control), sizeof auxiliary);
    return auxiliary.tp_status & TP_STATUS_CSUMNOTREADY ? EMULATOR_CHECKSUM_MISSING
                                                        : EMULATOR_CHECKSUM_READY;
}

size_t emulator_port_receive(EmulatorPort *port, uint8_t *buffer, size_t capacity,
                             EmulatorChecksum *ret_checksum) {
    union {
        struct cmsghdr header; /* aligns the bytes */
        char bytes[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
    } control;
    struct iovec vector = {.iov_base = buffer, .iov_len = capacity};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(port->descriptor, &message, MSG_DONTWAIT);
    if (length <= 0)
        return 0;
    *ret_checksum = message_checksum(&message);
    return (size_t)length;
}

void emulator_port_send(EmulatorPort *port, const uint8_t *bytes, size_t length) {
    /* An error here is an interface that is down or an MTU smaller than the frame. */
    if (send(port->descriptor, bytes, length, MSG_DONTWAIT) < 0 && errno != ENETDOWN &&
        errno != ENOBUFS && errno != EMSGSIZE && errno != EAGAIN)
        fprintf(stderr, "emulator: %s: send: %s\n", port->name, strerror(errno));
}
