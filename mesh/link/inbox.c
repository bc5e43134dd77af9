/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/inbox.h"

#include <stdlib.h>
#include <string.h>

#define AHEAD 16384 /* numbers a message may be ahead: those before were lost, every one */

void inbox_init(Inbox *inbox) {
    *inbox = (Inbox){0};
    for (unsigned i = 0; i < LINK_PRIORITIES; i++) {
        inbox->rows[i].highest = PACKET_FIRST_ID - 1;
    }
}

void inbox_finish(Inbox *inbox) {
    for (unsigned i = 0; i < MESH_REASSEMBLY_MAX; i++) {
        free(inbox->parts[i]);
    }
    while (inbox->first) {
        Inbound *next = inbox->first->next;

        free(inbox->first);
        inbox->first = next;
    }
    free(inbox->taken);
    inbox_init(inbox);
}

/* ---- numbers ---- */

/* The whole number, the one nearest to the highest seen; false: it cannot be. */
static bool number_of(const Inbox *inbox, const PacketChunk *chunk, uint64_t *ret_number) {
    uint64_t highest = inbox->rows[chunk->priority].highest;
    int16_t ahead = (int16_t)(uint16_t)(chunk->id - (uint16_t)highest);

    *ret_number = highest + (uint64_t)(int64_t)ahead;
    return ahead <= AHEAD && *ret_number >= PACKET_FIRST_ID;
}

static bool is_old(const InboxRow *row, uint64_t number) {
    return number + PACKET_WINDOW_SIZE <= row->highest;
}

static bool is_done(const InboxRow *row, uint64_t number) {
    return is_old(row, number) ||
           (number <= row->highest &&
            row->done[number % PACKET_WINDOW_SIZE / 64] >> (number % 64) & 1);
}

static void set_done(InboxRow *row, uint64_t number, bool done) {
    uint64_t *word = &row->done[number % PACKET_WINDOW_SIZE / 64];
    uint64_t mask = (uint64_t)1 << (number % 64);

    *word = done ? *word | mask : *word & ~mask;
}

static void give_up(Inbox *inbox, unsigned place) {
    Inbound *part = inbox->parts[place];
    InboxRow *row = &inbox->rows[part->priority];

    if (!is_old(row, part->number)) {
        set_done(row, part->number, true);
    }
    inbox->parts[place] = NULL;
    inbox->part_count--;
    free(part);
}

static void advance(Inbox *inbox, unsigned priority, uint64_t number) {
    InboxRow *row = &inbox->rows[priority];
    uint64_t from = row->highest + 1;

    if (number <= row->highest) {
        return;
    }
    if (number - row->highest > PACKET_WINDOW_SIZE) {
        from = number - PACKET_WINDOW_SIZE + 1;
    }
    for (uint64_t i = from; i <= number; i++) {
        set_done(row, i, false);
    }
    row->highest = number;
    for (unsigned i = 0; inbox->part_count > 0 && i < MESH_REASSEMBLY_MAX; i++) {
        const Inbound *part = inbox->parts[i];

        if (part && part->priority == priority && is_old(row, part->number)) {
            give_up(inbox, i);
        }
    }
}

/* ---- places ---- */

static bool find_part(const Inbox *inbox, unsigned priority, uint64_t number, unsigned *ret_place) {
    for (unsigned i = 0; inbox->part_count > 0 && i < MESH_REASSEMBLY_MAX; i++) {
        const Inbound *part = inbox->parts[i];

        if (part && part->priority == priority && part->number == number) {
            *ret_place = i;
            return true;
        }
    }
    return false;
}

/* Whether one more message in part leaves the others what they can count on. */
static bool has_place(const Inbox *inbox, unsigned priority) {
    unsigned used[LINK_PRIORITIES] = {0};
    unsigned taken = 0;

    for (unsigned i = 0; i < MESH_REASSEMBLY_MAX; i++) {
        if (inbox->parts[i]) {
            used[inbox->parts[i]->priority]++;
        }
    }
    for (unsigned i = 0; i < LINK_PRIORITIES; i++) {
        bool reserved = i != priority && used[i] < INBOX_RESERVE_SIZE;

        taken += reserved ? INBOX_RESERVE_SIZE : used[i];
    }
    return taken < MESH_REASSEMBLY_MAX;
}

/* Frees a place: first of the parts past their life, then of the oldest perishable one. */
static bool make_place(Inbox *inbox, uint64_t now_us, unsigned priority) {
    unsigned oldest = MESH_REASSEMBLY_MAX;

    for (unsigned i = 0; i < MESH_REASSEMBLY_MAX; i++) {
        if (inbox->parts[i] && inbox->parts[i]->expires_us <= now_us) {
            give_up(inbox, i);
        }
    }
    if (has_place(inbox, priority)) {
        return true;
    }
    for (unsigned i = 0; i < MESH_REASSEMBLY_MAX; i++) {
        const Inbound *part = inbox->parts[i];

        if (part && part->priority == priority && part->expires_us != UINT64_MAX &&
            (oldest == MESH_REASSEMBLY_MAX || part->number < inbox->parts[oldest]->number)) {
            oldest = i;
        }
    }
    if (oldest == MESH_REASSEMBLY_MAX) {
        return false;
    }
    give_up(inbox, oldest);
    return true;
}

static Inbound *new_inbound(const PacketChunk *chunk, uint64_t number) {
    size_t grains = packet_grains(chunk->size);
    size_t map = (grains + 7) / 8;
    Inbound *inbound = malloc(sizeof *inbound + map + chunk->size);
    uint8_t *after;

    if (inbound) {
        after = (uint8_t *)(inbound + 1);
        *inbound = (Inbound){.number = number,
                             .expires_us = UINT64_MAX,
                             .size = chunk->size,
                             .missing = (uint16_t)grains,
                             .priority = (uint8_t)chunk->priority,
                             .got = after,
                             .bytes = after + map};
        memset(after, 0, map);
    }
    return inbound;
}

/* ---- chunks ---- */

static void deliver(Inbox *inbox, Inbound *inbound) {
    inbound->next = NULL;
    *(inbox->last ? &inbox->last->next : &inbox->first) = inbound;
    inbox->last = inbound;
    inbox->whole_count++;
    inbox->whole_bytes += inbound->size;
    set_done(&inbox->rows[inbound->priority], inbound->number, true);
}

static void fill(Inbound *inbound, const PacketChunk *chunk) {
    size_t grains = packet_grains(chunk->bytes.length);

    if (chunk->grain == 0 && chunk->bytes.length == inbound->size) {
        inbound->missing = 0; /* as nearly always: which it got is asked no more */
        grains = 0;
    }
    for (size_t i = chunk->grain; i < chunk->grain + grains; i++) {
        if (!(inbound->got[i / 8] >> (i % 8) & 1)) {
            inbound->got[i / 8] |= (uint8_t)(1u << (i % 8));
            inbound->missing--;
        }
    }
    memcpy(inbound->bytes + (size_t)chunk->grain * PACKET_GRAIN_SIZE, chunk->bytes.data,
           chunk->bytes.length);
}

MeshError inbox_check(const Inbox *inbox, const PacketChunk *chunk) {
    uint64_t number;
    unsigned place;

    if (!number_of(inbox, chunk, &number)) {
        return MESH_ERROR_MALFORMED;
    }
    if (chunk->kind != PACKET_FORGET && find_part(inbox, chunk->priority, number, &place) &&
        inbox->parts[place]->size != chunk->size) {
        return MESH_ERROR_MALFORMED;
    }
    return MESH_OK;
}

static void forget(Inbox *inbox, unsigned priority, uint64_t number) {
    unsigned place;

    advance(inbox, priority, number);
    if (find_part(inbox, priority, number, &place)) {
        give_up(inbox, place);
    }
    set_done(&inbox->rows[priority], number, true);
}

/* A message not known yet. */
static MeshError begin(Inbox *inbox, uint64_t now_us, const PacketChunk *chunk, uint64_t number,
                       Inbound **ret_inbound, unsigned *ret_place) {
    unsigned place = 0;
    bool whole = packet_grains(chunk->bytes.length) == packet_grains(chunk->size);

    if (!whole && !has_place(inbox, chunk->priority) &&
        !make_place(inbox, now_us, chunk->priority)) {
        return MESH_ERROR_FULL;
    }
    while (!whole && inbox->parts[place]) {
        place++;
    }
    *ret_inbound = new_inbound(chunk, number);
    if (!*ret_inbound) {
        return MESH_ERROR_NO_MEMORY;
    }
    if (!whole) {
        inbox->parts[place] = *ret_inbound;
        inbox->part_count++;
    }
    *ret_place = whole ? MESH_REASSEMBLY_MAX : place;
    return MESH_OK;
}

MeshError inbox_add(Inbox *inbox, uint64_t now_us, const PacketChunk *chunk) {
    MeshError error = inbox_check(inbox, chunk);
    Inbound *inbound;
    uint64_t number;
    unsigned place;

    if (error) {
        return error;
    }
    number_of(inbox, chunk, &number);
    if (is_done(&inbox->rows[chunk->priority], number)) {
        return MESH_OK;
    }
    if (chunk->kind == PACKET_FORGET) {
        forget(inbox, chunk->priority, number);
        return MESH_OK;
    }
    if (inbox->whole_count >= MESH_QUEUE_COUNT_MAX || inbox->whole_bytes >= MESH_QUEUE_BYTES_MAX) {
        return MESH_ERROR_FULL;
    }
    if (find_part(inbox, chunk->priority, number, &place)) {
        inbound = inbox->parts[place];
    } else {
        error = begin(inbox, now_us, chunk, number, &inbound, &place);
        if (error) {
            return error;
        }
    }
    if (chunk->kind == PACKET_PERISHABLE) {
        inbound->expires_us = now_us + chunk->life_us;
    }
    fill(inbound, chunk);
    advance(inbox, chunk->priority, number);
    if (inbound->missing == 0) {
        if (place < MESH_REASSEMBLY_MAX) {
            inbox->parts[place] = NULL;
            inbox->part_count--;
        }
        deliver(inbox, inbound);
    }
    return MESH_OK;
}

bool inbox_take(Inbox *inbox, Bytes *ret_message) {
    Inbound *inbound = inbox->first;

    free(inbox->taken);
    inbox->taken = inbound;
    if (!inbound) {
        return false;
    }
    inbox->first = inbound->next;
    if (!inbox->first) {
        inbox->last = NULL;
    }
    inbox->whole_count--;
    inbox->whole_bytes -= inbound->size;
    *ret_message = (Bytes){.data = inbound->bytes, .length = inbound->size};
    return true;
}
