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

static void free_all(Inbound *first) {
    while (first) {
        Inbound *next = first->next;

        free(first);
        first = next;
    }
}

void inbox_finish(Inbox *inbox) {
    for (unsigned i = 0; i < LINK_PRIORITIES; i++) {
        free_all(inbox->rows[i].parts);
    }
    free_all(inbox->first);
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

/* Where the list names it; what it names is NULL when it is none of those in part. */
static Inbound **find_part(InboxRow *row, uint64_t number) {
    Inbound **place = &row->parts;

    while (*place && (*place)->number != number) {
        place = &(*place)->next;
    }
    return place;
}

static Inbound *take_part(InboxRow *row, Inbound **place) {
    Inbound *part = *place;

    *place = part->next;
    row->part_count--;
    row->part_bytes -= part->size;
    return part;
}

static void give_up(InboxRow *row, Inbound **place) {
    Inbound *part = take_part(row, place);

    if (!is_old(row, part->number)) {
        set_done(row, part->number, true);
    }
    free(part);
}

/* What is too old to be told from what comes, or past its life. */
static void give_up_past(InboxRow *row, uint64_t now_us) {
    Inbound **place = &row->parts;

    while (*place) {
        if (is_old(row, (*place)->number) || (*place)->expires_us <= now_us) {
            give_up(row, place);
        } else {
            place = &(*place)->next;
        }
    }
}

static void advance(InboxRow *row, uint64_t now_us, uint64_t number) {
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
    give_up_past(row, now_us);
}

/* ---- places ---- */

static bool has_place(const InboxRow *row, size_t size) {
    return row->part_count < MESH_PARTS_MAX && row->part_bytes + size <= MESH_PARTS_BYTES_MAX;
}

/* Frees places: of the parts past their life, then of the oldest perishable ones. */
static bool make_place(InboxRow *row, uint64_t now_us, size_t size) {
    give_up_past(row, now_us);
    while (!has_place(row, size)) {
        Inbound **oldest = NULL;

        for (Inbound **place = &row->parts; *place; place = &(*place)->next) {
            if ((*place)->expires_us != UINT64_MAX &&
                (!oldest || (*place)->number < (*oldest)->number)) {
                oldest = place;
            }
        }
        if (!oldest) {
            return false;
        }
        give_up(row, oldest);
    }
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
    const Inbound *part = inbox->rows[chunk->priority].parts;
    uint64_t number;

    if (!number_of(inbox, chunk, &number)) {
        return MESH_ERROR_MALFORMED;
    }
    while (part && part->number != number) {
        part = part->next;
    }
    return part && chunk->kind != PACKET_FORGET && part->size != chunk->size ? MESH_ERROR_MALFORMED
                                                                             : MESH_OK;
}

static void forget(InboxRow *row, uint64_t number) {
    Inbound **place = find_part(row, number);

    if (*place) {
        give_up(row, place);
    }
    set_done(row, number, true);
}

/* A message not known yet: among those in part, unless it is whole at once. */
static MeshError begin(InboxRow *row, uint64_t now_us, const PacketChunk *chunk, uint64_t number,
                       Inbound **ret_inbound) {
    bool whole = packet_grains(chunk->bytes.length) == packet_grains(chunk->size);

    if (!whole && !has_place(row, chunk->size) && !make_place(row, now_us, chunk->size)) {
        return MESH_ERROR_FULL;
    }
    *ret_inbound = new_inbound(chunk, number);
    if (!*ret_inbound) {
        return MESH_ERROR_NO_MEMORY;
    }
    if (!whole) {
        (*ret_inbound)->next = row->parts;
        row->parts = *ret_inbound;
        row->part_count++;
        row->part_bytes += chunk->size;
    }
    return MESH_OK;
}

MeshError inbox_add(Inbox *inbox, uint64_t now_us, const PacketChunk *chunk) {
    InboxRow *row = &inbox->rows[chunk->priority];
    MeshError error = inbox_check(inbox, chunk);
    Inbound *inbound;
    uint64_t number;

    if (error) {
        return error;
    }
    number_of(inbox, chunk, &number);
    advance(row, now_us, number);
    if (is_done(row, number)) {
        return MESH_OK;
    }
    if (chunk->kind == PACKET_FORGET) {
        forget(row, number);
        return MESH_OK;
    }
    if (inbox->whole_count >= MESH_QUEUE_COUNT_MAX || inbox->whole_bytes >= MESH_QUEUE_BYTES_MAX) {
        return MESH_ERROR_FULL;
    }
    inbound = *find_part(row, number);
    error = inbound ? MESH_OK : begin(row, now_us, chunk, number, &inbound);
    if (error) {
        return error;
    }
    if (chunk->kind == PACKET_PERISHABLE) {
        inbound->expires_us = now_us + chunk->life_us;
    }
    fill(inbound, chunk);
    if (inbound->missing == 0) {
        Inbound **place = find_part(row, number);

        if (*place) {
            take_part(row, place);
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
