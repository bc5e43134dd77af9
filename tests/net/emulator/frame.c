/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/frame.h"

#include <stdlib.h>
#include <string.h>

enum {
    ETHER_ARP = 0x0806,
    ETHER_IPV6 = 0x86dd,
    IPV6_HEADER_BYTES = 40,
    IPV6_NEXT_HEADER_AT = 6,
    PROTOCOL_ICMPV6 = 58,
    ICMPV6_ROUTER_SOLICITATION = 133,
    ICMPV6_REDIRECT = 137,
};

EmulatorFrame *emulator_frame_create(const uint8_t *bytes, size_t length, size_t ip_bytes,
                                     uint64_t now_us) {
    EmulatorFrame *frame = malloc(sizeof *frame + length);
    if (frame == NULL)
        return NULL;
    *frame = (EmulatorFrame){.arrived_us = now_us, .length = length, .ip_bytes = ip_bytes};
    memcpy(frame->bytes, bytes, length);
    return frame;
}

void emulator_frame_destroy(EmulatorFrame *frame) {
    free(frame);
}

size_t emulator_frame_ip_bytes(size_t length) {
    return length > EMULATOR_FRAME_HEADER_BYTES ? length - EMULATOR_FRAME_HEADER_BYTES : 0;
}

bool emulator_frame_is_neighbour(const uint8_t *bytes, size_t length) {
    if (length < EMULATOR_FRAME_HEADER_BYTES)
        return false;
    unsigned type = (unsigned)bytes[12] << 8 | bytes[13];
    if (type == ETHER_ARP)
        return true;
    if (type != ETHER_IPV6 || length <= EMULATOR_FRAME_HEADER_BYTES + IPV6_HEADER_BYTES)
        return false;
    const uint8_t *ip = bytes + EMULATOR_FRAME_HEADER_BYTES;
    uint8_t kind = ip[IPV6_HEADER_BYTES];
    return ip[IPV6_NEXT_HEADER_AT] == PROTOCOL_ICMPV6 && kind >= ICMPV6_ROUTER_SOLICITATION &&
           kind <= ICMPV6_REDIRECT;
}
