/* SPDX-License-Identifier: MPL-2.0 */
/*
 * One network interface the emulator stands behind, as whole Ethernet frames.
 * Owns a packet socket bound to it.
 * Never passes a frame to the kernel's own stack: the interface carries no address.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef enum {
    EMULATOR_CHECKSUM_READY,
    EMULATOR_CHECKSUM_MISSING, /* the sender left it to hardware that does not exist */
} EmulatorChecksum;

typedef struct {
    int descriptor;
    char name[16];
} EmulatorPort;

/* Opens the interface, promiscuous, its offloads off; false with the reason on stderr. */
bool emulator_port_open(EmulatorPort *port, const char *name);
void emulator_port_close(EmulatorPort *port);

/* One frame into the buffer: its length, or 0 when none waits. */
size_t emulator_port_receive(EmulatorPort *port, uint8_t *buffer, size_t capacity,
                             EmulatorChecksum *ret_checksum);

/* Sends one frame; what the kernel refuses is lost, as on a wire. */
void emulator_port_send(EmulatorPort *port, const uint8_t *bytes, size_t length);
