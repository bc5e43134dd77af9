/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/receipt.h"

#include <string.h>

#define WORDS         (RECEIPT_WINDOW_SIZE / 64)
#define NO_COUNTER    UINT64_MAX
#define ENOUGH_BYTES  912 /* an acknowledgement of some 57 bytes is then a sixteenth of them */
#define QUICK_US      1000
#define REST_US       8000 /* for more of a picture, so that one answer tells all of it */
#define GAP_US        4000 /* a packet may only be late */
#define PACE_LEAST_US 1000

void receipt_init(Receipt *receipt) {
    *receipt = (Receipt){.due_us = UINT64_MAX, .pace_us = RECEIPT_PACE_US};
    for (unsigned i = 0; i < RECEIPT_TOLD_SIZE; i++) {
        receipt->low[i] = NO_COUNTER;
    }
}

static void shift(uint64_t map[WORDS], uint64_t by) {
    size_t words = (size_t)(by / 64);
    unsigned bits = by % 64;

    if (by >= RECEIPT_WINDOW_SIZE) {
        memset(map, 0, WORDS * sizeof map[0]);
        return;
    }
    for (size_t i = WORDS; i-- > 0;) {
        uint64_t word = i >= words ? map[i - words] << bits : 0;

        if (bits > 0 && i > words) {
            word |= map[i - words - 1] >> (64 - bits);
        }
        map[i] = word;
    }
}

static bool mark(Receipt *receipt, uint64_t now_us, uint64_t counter) {
    uint64_t back;

    if (counter >= receipt->known) {
        shift(receipt->map, counter + 1 - receipt->known);
        receipt->known = counter + 1;
        receipt->came_us = now_us;
    }
    back = receipt->known - 1 - counter;
    if (back >= RECEIPT_WINDOW_SIZE) {
        return true; /* too old to be told */
    }
    if (receipt->map[back / 64] >> (back % 64) & 1) {
        return false;
    }
    receipt->map[back / 64] |= (uint64_t)1 << (back % 64);
    if (counter < receipt->low[0]) {
        receipt->low[0] = counter;
    }
    return true;
}

/* How long to wait for more, once there is enough to tell. */
static uint64_t enough_us(ReceiptKind kind) {
    return kind == RECEIPT_ENDED ? 0 : kind == RECEIPT_BEGUN ? REST_US : QUICK_US;
}

/* More of a picture came while its answer waits, which may wait on, as long as any may. */
static bool goes_on(const Receipt *receipt, uint64_t now_us, ReceiptKind kind) {
    return kind == RECEIPT_BEGUN && now_us + REST_US < receipt->first_us + RECEIPT_PACE_US;
}

bool receipt_add(Receipt *receipt, uint64_t now_us, uint64_t counter, size_t size,
                 ReceiptKind kind) {
    bool gap = receipt->seen > 0 && counter != receipt->seen;
    uint64_t wait_us = receipt->pace_us > PACE_LEAST_US ? receipt->pace_us : PACE_LEAST_US;
    uint64_t due_us;

    if (counter >= receipt->seen) {
        receipt->seen = counter + 1;
    }
    if (kind == RECEIPT_SILENT) {
        return true;
    }
    if (!mark(receipt, now_us, counter)) {
        return false;
    }
    receipt->first_us = gap ? 0 : receipt->untold > 0 ? receipt->first_us : now_us;
    receipt->untold++;
    receipt->untold_bytes += size;
    if (gap && wait_us > GAP_US) {
        wait_us = GAP_US;
    }
    if (receipt->untold > 1 && receipt->untold_bytes >= ENOUGH_BYTES && enough_us(kind) < wait_us) {
        wait_us = enough_us(kind);
    }
    due_us = now_us + wait_us;
    if (due_us < receipt->told_us + receipt->apart_us) {
        due_us = receipt->told_us + receipt->apart_us;
    }
    if (due_us < receipt->due_us || goes_on(receipt, now_us, kind)) {
        receipt->due_us = due_us;
    }
    return true;
}

bool receipt_wanted(const Receipt *receipt, uint64_t now_us) {
    return receipt->due_us != UINT64_MAX &&
           (receipt->untold > 1 || now_us + receipt->pace_us / 2 >= receipt->due_us);
}

void receipt_ack(const Receipt *receipt, uint64_t now_us, PacketAck *ret_ack) {
    uint64_t largest = receipt->known - 1;
    uint64_t low = largest;
    size_t length;

    for (unsigned i = 0; i < RECEIPT_TOLD_SIZE; i++) {
        low = receipt->low[i] < low ? receipt->low[i] : low;
    }
    length = (size_t)(largest - low) < RECEIPT_WINDOW_SIZE ? (size_t)(largest - low + 7) / 8
                                                           : PACKET_MAP_SIZE;
    *ret_ack = (PacketAck){.largest = (uint16_t)largest,
                           .arrival = (uint16_t)(receipt->came_us / PACKET_TICK_US),
                           .delay_us = now_us - receipt->came_us,
                           .map_length = length};
    for (size_t i = 0; i < length * 8; i++) {
        size_t back = i + 1;

        if (back < RECEIPT_WINDOW_SIZE && receipt->map[back / 64] >> (back % 64) & 1) {
            ret_ack->map[i / 8] |= (uint8_t)(1u << (i % 8));
        }
    }
}

void receipt_told(Receipt *receipt, uint64_t now_us) {
    memmove(receipt->low + 1, receipt->low, sizeof receipt->low - sizeof receipt->low[0]);
    receipt->low[0] = NO_COUNTER;
    receipt->untold = 0;
    receipt->untold_bytes = 0;
    receipt->due_us = UINT64_MAX;
    receipt->told_us = now_us;
}
