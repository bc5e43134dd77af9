/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which packets came, and when that must be told: the receiver's half of acknowledgement.
 * It owns a window of counters and the moment the next acknowledgement is due. It never answers an
 * answer: packets that ask for no acknowledgement are not in the window.
 */
#pragma once

#include "mesh/link/packet.h"

#define RECEIPT_WINDOW_SIZE (8 * PACKET_MAP_SIZE)
#define RECEIPT_TOLD_SIZE   4 /* acknowledgements that tell each arrival */
#define RECEIPT_PACE_US     24000

typedef struct {
    uint64_t due_us;  /* UINT64_MAX: no acknowledgement is owed */
    uint64_t known;   /* highest counter received that asked for an answer, plus 1; 0: none */
    uint64_t seen;    /* the same, of all packets */
    uint64_t came_us; /* when that of `known` came */
    uint64_t map[RECEIPT_WINDOW_SIZE / 64]; /* bit i: counter known − 1 − i came */
    uint64_t low[RECEIPT_TOLD_SIZE];        /* lowest counter that came before each of the last
                                               acknowledgements; [0] since the last */
    uint64_t first_us;                      /* when the first of these came; 0: not all came */
    uint32_t untold;                        /* packets since the last acknowledgement */
    uint64_t untold_bytes;
    uint64_t pace_us;  /* the peer wants to wait no longer */
    uint64_t told_us;  /* when the last acknowledgement left, */
    uint64_t apart_us; /* after which none leaves by itself for so long */
} Receipt;

typedef enum {
    RECEIPT_SILENT, /* asks for no answer */
    RECEIPT_ASKS,
    RECEIPT_BEGUN, /* the rest of something perishable follows at once, as fast as the line goes */
    RECEIPT_ENDED, /* and this is the last of it */
} ReceiptKind;

void receipt_init(Receipt *receipt);
/* A packet of this size came. False: it came before. */
bool receipt_add(Receipt *receipt, uint64_t now_us, uint64_t counter, size_t size,
                 ReceiptKind kind);
/* An acknowledgement should ride on a packet that leaves anyway. */
bool receipt_wanted(const Receipt *receipt, uint64_t now_us);
/* The acknowledgement as of now. */
void receipt_ack(const Receipt *receipt, uint64_t now_us, PacketAck *ret_ack);
/* It was sent. */
void receipt_told(Receipt *receipt, uint64_t now_us);
