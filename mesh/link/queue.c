/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define SLOT_BITS    9
#define SLOT_COUNT   (1u << SLOT_BITS)
#define FORGET_BYTES 3    /* what a FORGET takes: it waits like them */
#define BUSY_BYTES   1600 /* of votes and messages that wait: their copies would hold them up */

_Static_assert(MESH_QUEUE_COUNT_MAX <= SLOT_COUNT, "an id names a slot");

void queue_init(Queue *queue) {
    *queue = (Queue){
        .deadline_us = UINT64_MAX, .copy_us = UINT64_MAX, .ride_us = UINT64_MAX, .serial = 1};
    for (unsigned i = 0; i < LINK_PRIORITIES; i++) {
        queue->number[i] = PACKET_FIRST_ID;
    }
}

void queue_finish(Queue *queue) {
    for (unsigned i = 0; i < queue->slot_capacity; i++) {
        free(queue->slots[i]);
    }
    free(queue->slots);
    queue_init(queue);
}

static bool bit(const uint8_t *map, size_t index) {
    return map[index / 8] >> (index % 8) & 1;
}

static void bit_set(uint8_t *map, size_t index) {
    map[index / 8] |= (uint8_t)(1u << (index % 8));
}

static void bit_clear(uint8_t *map, size_t index) {
    map[index / 8] &= (uint8_t) ~(1u << (index % 8));
}

static uint32_t grain_bytes(const Message *message, size_t grain) {
    return (uint32_t)packet_grains_bytes(message->size, grain, 1);
}

/* Something of it waits now, or nothing does any more. */
static void set_next(Queue *queue, Message *message) {
    Message **next = &queue->next[message->priority];

    if (message->waiting > 0 && (!*next || message->id < (*next)->id)) {
        *next = message;
    }
    while (*next && (*next)->waiting == 0) {
        *next = (*next)->next;
    }
    queue->any &= ~(1u << message->priority);
    queue->any |= (unsigned)(*next != NULL) << message->priority;
}

static void set_waiting(Queue *queue, Message *message, uint32_t waiting) {
    queue->waiting[message->priority] += waiting;
    queue->waiting[message->priority] -= message->waiting;
    message->waiting = waiting;
    set_next(queue, message);
}

static void drop(Queue *queue, Message *message) {
    Message **head = &queue->first[message->priority];
    Message **tail = &queue->last[message->priority];

    set_waiting(queue, message, 0);
    *(message->before ? &message->before->next : head) = message->next;
    *(message->next ? &message->next->before : tail) = message->before;
    queue->slots[message->id & (SLOT_COUNT - 1)] = NULL;
    queue->count--;
    queue->bytes -= message->size;
    queue->counts[message->priority]--;
    queue->sizes[message->priority] -= message->size;
    queue->cut_counts[message->priority] -= message->cut;
    queue->cut_sizes[message->priority] -= message->cut ? message->size : 0;
    free(message);
}

/* ---- in and out ---- */

static bool find_slot(Queue *queue, uint32_t *ret_slot) {
    uint32_t capacity = queue->slot_capacity ? queue->slot_capacity * 2 : 16;
    Message **slots;

    for (uint32_t i = 0; i < queue->slot_capacity; i++) {
        uint32_t slot = (uint32_t)(queue->serial + i) & (queue->slot_capacity - 1);

        if (!queue->slots[slot]) {
            *ret_slot = slot;
            return true;
        }
    }
    slots = realloc(queue->slots, capacity * sizeof(Message *));
    if (!slots) {
        return false;
    }
    memset(slots + queue->slot_capacity, 0, (capacity - queue->slot_capacity) * sizeof(Message *));
    *ret_slot = queue->slot_capacity;
    queue->slots = slots;
    queue->slot_capacity = capacity;
    return true;
}

size_t queue_room(const Queue *queue, LinkPriority priority) {
    /* In eighths: what is urgent always finds room, and a little of everything does. */
    uint64_t share = priority <= LINK_URGENT ? 8 : priority <= LINK_CHAT ? 6 : 5;
    uint64_t bytes;

    if (share < 7 && queue->counts[priority] < MESH_QUEUE_COUNT_MAX / 16 &&
        queue->sizes[priority] < MESH_QUEUE_BYTES_MAX / 16) {
        share = 7;
    }
    bytes = MESH_QUEUE_BYTES_MAX * share / 8;
    if (queue->count >= MESH_QUEUE_COUNT_MAX * share / 8 || queue->bytes >= bytes) {
        return 0;
    }
    return (size_t)(bytes - queue->bytes);
}

static void copy(uint8_t *to, Bytes bytes) {
    if (bytes.length > 0) {
        memcpy(to, bytes.data, bytes.length);
    }
}

static Message *new_message(LinkPriority priority, uint64_t deadline_us, Bytes head, Bytes body) {
    size_t size = head.length + body.length;
    size_t grains = packet_grains(size);
    size_t map = (grains + 7) / 8;
    Message *message = malloc(sizeof *message + 2 * map + size);
    uint8_t *after;

    if (message) {
        after = (uint8_t *)(message + 1);
        *message = (Message){.deadline_us = deadline_us,
                             .copy_us = UINT64_MAX,
                             .size = (uint16_t)size,
                             .grains = (uint16_t)grains,
                             .priority = (uint8_t)priority,
                             .state = MESSAGE_LIVE,
                             .acked = after,
                             .lost = after + map,
                             .bytes = after + 2 * map};
        memset(after, 0, 2 * map);
        copy(after + 2 * map, head);
        copy(after + 2 * map + head.length, body);
    }
    return message;
}

MeshError queue_submit(Queue *queue, LinkPriority priority, uint64_t deadline_us, Bytes head,
                       Bytes body, uint64_t *ret_id) {
    size_t size = head.length + body.length;
    Message *message;
    uint32_t slot;

    assert((unsigned)priority < LINK_PRIORITIES);
    if (size == 0) {
        return MESH_ERROR_INVALID;
    }
    if (size > MESH_MESSAGE_MAX) {
        return MESH_ERROR_TOO_LARGE;
    }
    if (size > queue_room(queue, priority)) {
        return MESH_ERROR_FULL;
    }
    message = find_slot(queue, &slot) ? new_message(priority, deadline_us, head, body) : NULL;
    if (!message) {
        return MESH_ERROR_NO_MEMORY;
    }
    queue->slots[slot] = message;
    message->id = queue->serial++ << SLOT_BITS | slot;
    message->before = queue->last[priority];
    *(message->before ? &message->before->next : &queue->first[priority]) = message;
    queue->last[priority] = message;
    queue->count++;
    queue->bytes += message->size;
    queue->counts[priority]++;
    queue->sizes[priority] += message->size;
    set_waiting(queue, message, message->size);
    if (deadline_us < queue->deadline_us) {
        queue->deadline_us = deadline_us;
    }
    if (ret_id) {
        *ret_id = message->id;
    }
    return MESH_OK;
}

Message *queue_find(const Queue *queue, uint64_t id) {
    uint32_t slot = (uint32_t)(id & (SLOT_COUNT - 1));
    Message *message = slot < queue->slot_capacity ? queue->slots[slot] : NULL;

    return message && message->id == id ? message : NULL;
}

void queue_cancel(Queue *queue, uint64_t id) {
    Message *message = queue_find(queue, id);

    if (!message || message->state != MESSAGE_LIVE || message->unsent == message->grains) {
        return;
    }
    if (message->unsent == 0 || message->deadline_us != UINT64_MAX) {
        drop(queue, message); /* the receiver has nothing, or forgets by itself */
        return;
    }
    message->state = MESSAGE_FORGOTTEN;
    message->copy_us = UINT64_MAX;
    set_waiting(queue, message, FORGET_BYTES);
}

void queue_expire(Queue *queue, uint64_t now_us) {
    if (queue->deadline_us > now_us) {
        return;
    }
    queue->deadline_us = UINT64_MAX;
    for (unsigned i = 0; i < LINK_PRIORITIES; i++) {
        for (Message *message = queue->first[i], *next; message; message = next) {
            next = message->next;
            if (message->deadline_us <= now_us) {
                queue->expired += message->waiting > 0;
                drop(queue, message);
            } else if (message->deadline_us < queue->deadline_us) {
                queue->deadline_us = message->deadline_us;
            }
        }
    }
}

/* ---- what to send ---- */

/* The receiver has room for one more in part. */
static bool may_be_cut(const Queue *queue, const Message *message) {
    uint64_t sizes = queue->cut_sizes[message->priority];

    return sizes == 0 || (queue->cut_counts[message->priority] < PACKET_PARTS_SIZE &&
                          sizes + message->size <= PACKET_PARTS_BYTES);
}

/* A message may start only while the receiver still tells all living ones apart, a packet's worth
 * of others started with it included; and none that may have to be cut while it has no room. */
static bool may_be_sent(const Queue *queue, const Message *message) {
    const Message *oldest = queue->first[message->priority];

    return message->number || !oldest->number ||
           (queue->number[message->priority] + FLIGHT_CHUNKS_SIZE <
                oldest->number + PACKET_WINDOW_SIZE &&
            may_be_cut(queue, message));
}

/* From its first part on. */
static void note_cut(Queue *queue, Message *message, const QueueRun *run) {
    if (run->grains < message->grains && !message->cut) {
        message->cut = true;
        queue->cut_counts[message->priority]++;
        queue->cut_sizes[message->priority] += message->size;
    }
}

Message *queue_next(const Queue *queue, LinkPriority priority, const Message *after) {
    Message *message = after ? after->next : queue->next[priority];

    while (message && message->waiting == 0) {
        message = message->next;
    }
    return message && may_be_sent(queue, message) ? message : NULL;
}

bool queue_ready(const Queue *queue, LinkPriority least) {
    unsigned some = queue->any & ((2u << least) - 1);

    for (; some; some &= some - 1) {
        if (queue_next(queue, (LinkPriority)__builtin_ctz(some), NULL)) {
            return true;
        }
    }
    return false;
}

static bool is_to_send(const Message *message, uint16_t grain) {
    return grain >= message->unsent || bit(message->lost, grain);
}

bool queue_run(const Message *message, uint16_t from, QueueRun *ret_run) {
    uint16_t grain = from;
    uint16_t end;

    if (message->state == MESSAGE_FORGOTTEN) {
        *ret_run = (QueueRun){0};
        return from == 0 && message->waiting > 0;
    }
    while (grain < message->grains && !is_to_send(message, grain)) {
        grain++;
    }
    for (end = grain; end < message->unsent && bit(message->lost, end); end++) {
    }
    end = end < message->unsent ? end : message->grains;
    *ret_run = (QueueRun){.grain = grain, .grains = (uint16_t)(end - grain)};
    return end > grain;
}

bool queue_sent(Queue *queue, Message *message, const QueueRun *run) {
    uint16_t end = (uint16_t)(run->grain + run->grains);

    if (!message->number) {
        message->number = queue->number[message->priority]++;
    }
    if (message->state == MESSAGE_FORGOTTEN) {
        set_waiting(queue, message, 0);
        return false;
    }
    note_cut(queue, message, run);
    for (uint16_t grain = run->grain; grain < end && grain < message->unsent; grain++) {
        bit_clear(message->lost, grain);
    }
    set_waiting(queue, message,
                message->waiting -
                    (uint32_t)packet_grains_bytes(message->size, run->grain, run->grains));
    if (end <= message->unsent) {
        return false;
    }
    message->unsent = end;
    return end == message->grains;
}

void queue_plan_copy(Queue *queue, Message *message, uint64_t ride_us, uint64_t copy_us) {
    message->ride_us = ride_us;
    message->copy_us = copy_us;
    queue->ride_us = ride_us < queue->ride_us ? ride_us : queue->ride_us;
    queue->copy_us = copy_us < queue->copy_us ? copy_us : queue->copy_us;
}

/* ---- what became of it ---- */

static void send_again(Queue *queue, Message *message, uint16_t grain, uint16_t grains) {
    uint32_t waiting = message->waiting;

    for (uint16_t i = grain; i < grain + grains; i++) {
        if (!bit(message->acked, i) && !is_to_send(message, i)) {
            bit_set(message->lost, i);
            waiting += grain_bytes(message, i);
        }
    }
    set_waiting(queue, message, waiting);
}

/* Whether a copy is worth its place in the line. */
static bool may_copy(const Queue *queue, const Message *message) {
    return message->deadline_us != UINT64_MAX ||
           queue->waiting[LINK_URGENT] + queue->waiting[LINK_CHAT] < BUSY_BYTES;
}

void queue_copy(Queue *queue, uint64_t now_us, bool riding) {
    if (queue->copy_us > now_us && !(riding && queue->ride_us <= now_us)) {
        return;
    }
    queue->copy_us = UINT64_MAX;
    queue->ride_us = UINT64_MAX;
    for (uint32_t i = 0; i < queue->slot_capacity; i++) {
        Message *message = queue->slots[i];

        if (!message || message->copy_us == UINT64_MAX) {
            continue;
        }
        if (message->copy_us <= now_us || (riding && message->ride_us <= now_us)) {
            message->copy_us = UINT64_MAX;
            message->insisted = false;
            message->copies--;
            if (may_copy(queue, message)) {
                message->resent_us = now_us;
                send_again(queue, message, 0, message->grains);
            }
        } else {
            queue_plan_copy(queue, message, message->ride_us, message->copy_us);
        }
    }
}

static bool may_insist(const Queue *queue, const Message *message) {
    return message->unsent == message->grains && message->waiting == 0 &&
           (message->copy_us == UINT64_MAX || message->insisted) &&
           message->size <= QUEUE_SMALL_SIZE && message->state == MESSAGE_LIVE &&
           message->deadline_us == UINT64_MAX && may_copy(queue, message);
}

static void set_insisted(Message *message, bool insisted) {
    if (message->insisted != insisted) {
        message->insisted = insisted;
        message->copies = (uint8_t)(message->copies + (insisted ? 1 : -1));
        message->copy_us = UINT64_MAX;
    }
}

void queue_insist(Queue *queue, uint64_t wait_us, uint64_t from_us, uint64_t ride_us) {
    Message *found = NULL;
    uint64_t again_us;

    for (unsigned i = LINK_CONTROL; i <= LINK_CHAT; i++) {
        for (Message *message = queue->first[i]; message; message = message->next) {
            if (may_insist(queue, message)) {
                found = !found || message->sent_us < found->sent_us ? message : found;
            }
            set_insisted(message, false);
        }
    }
    if (found) {
        again_us = found->sent_us + wait_us > from_us ? found->sent_us + wait_us : from_us;
        set_insisted(found, true);
        queue_plan_copy(queue, found, again_us, again_us + ride_us);
    }
}

bool queue_wants(const Queue *queue, const FlightChunk *chunk) {
    const Message *message = queue_find(queue, chunk->message);
    bool wanted = message && message->state == MESSAGE_FORGOTTEN && chunk->grains == 0;

    for (uint16_t i = 0; message && message->state == MESSAGE_LIVE && i < chunk->grains; i++) {
        wanted = wanted || !bit(message->acked, chunk->grain + i);
    }
    return wanted;
}

void queue_acked(Queue *queue, const FlightChunk *chunk) {
    Message *message = queue_find(queue, chunk->message);
    uint32_t waiting = message ? message->waiting : 0;

    if (!message) {
        return;
    }
    if (message->state == MESSAGE_FORGOTTEN) {
        if (chunk->grains == 0) {
            drop(queue, message);
        }
        return;
    }
    if (chunk->grains == message->grains) {
        drop(queue, message);
        return;
    }
    for (uint16_t i = chunk->grain; i < chunk->grain + chunk->grains; i++) {
        if (bit(message->acked, i)) {
            continue;
        }
        if (bit(message->lost, i)) {
            bit_clear(message->lost, i);
            waiting -= grain_bytes(message, i);
        }
        bit_set(message->acked, i);
        message->acked_count++;
    }
    set_waiting(queue, message, waiting);
    if (message->acked_count == message->grains) {
        drop(queue, message);
    }
}

void queue_lost(Queue *queue, const FlightChunk *chunk, uint64_t sent_us) {
    Message *message = queue_find(queue, chunk->message);

    if (!message || sent_us < message->resent_us) {
        return;
    }
    if (message->state == MESSAGE_FORGOTTEN) {
        if (chunk->grains == 0) {
            set_waiting(queue, message, FORGET_BYTES);
        }
        return;
    }
    if (message->copied && message->copies == 0) {
        message->copies = 1;
    }
    send_again(queue, message, chunk->grain, chunk->grains);
}
