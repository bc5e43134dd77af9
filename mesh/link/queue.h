/* SPDX-License-Identifier: MPL-2.0 */
/*
 * The messages submitted to a link, by priority, and which grains of each are still to be sent.
 * It owns their copies until they are acknowledged, cancelled or past their deadline; its memory is
 * what is queued, within MESH_QUEUE_BYTES_MAX and MESH_QUEUE_COUNT_MAX. It never decides when
 * something is sent.
 */
#pragma once

#include "mesh/link/flight.h"

/* Messages up to this size are worth a copy: an entry that says 300. */
#define QUEUE_SMALL_SIZE 800

typedef enum {
    MESSAGE_LIVE,
    MESSAGE_FORGOTTEN, /* cancelled when partly sent: the receiver is told, reliably */
} MessageState;

typedef struct Message {
    struct Message *next, *before; /* of this priority, in the order of submission */
    uint64_t id;                   /* as link_submit gave it */
    uint64_t number;               /* on the wire; 0: nothing was sent yet */
    uint64_t deadline_us;
    uint64_t resent_us; /* all that was unacknowledged was queued again then: older losses do not
                           matter */
    uint64_t sent_us;   /* it was last begun to be sent */
    uint64_t ride_us;   /* from when its copy may ride in a packet that leaves anyway */
    uint64_t copy_us;   /* when its copy is due; UINT64_MAX: none */
    uint32_t waiting;   /* bytes to be sent */
    uint16_t size;
    uint16_t grains;
    uint16_t unsent; /* grains from this one on were never sent */
    uint16_t acked_count;
    uint8_t priority;
    uint8_t state;  /* MessageState */
    uint8_t copies; /* still to follow */
    bool copied;    /* it is one of those that have copies: when lost, it is sent twice again */
    bool cut;       /* a part of it was sent: it takes a place at the receiver */
    bool insisted;  /* the copy planned is one more, since it may be lost */
    uint8_t *acked; /* bitmaps of grains */
    uint8_t *lost;  /* to be sent again */
    const uint8_t *bytes;
} Message;

typedef struct {
    unsigned any;                   /* priorities of which some wait, a bit each, */
    Message *next[LINK_PRIORITIES]; /* and the first of each that does */
    uint64_t copy_us;               /* no copy is due earlier */
    uint64_t ride_us;               /* nor may one ride earlier */
    uint64_t deadline_us;           /* no message's is earlier */
    Message **slots;                /* grown to the most there were */
    uint32_t slot_capacity;
    Message *first[LINK_PRIORITIES], *last[LINK_PRIORITIES];
    uint64_t waiting[LINK_PRIORITIES]; /* bytes to be sent */
    uint64_t number[LINK_PRIORITIES];  /* of the next message first sent */
    uint64_t serial;
    uint32_t count;                   /* of messages, */
    uint64_t bytes;                   /* their bytes, */
    uint32_t counts[LINK_PRIORITIES]; /* and of each priority */
    uint64_t sizes[LINK_PRIORITIES];
    uint32_t cut_counts[LINK_PRIORITIES]; /* of each, those that were cut, */
    uint64_t cut_sizes[LINK_PRIORITIES];
    uint64_t expired; /* messages not wholly sent by their deadline */
} Queue;

/* A row of grains to be sent; grains 0: that the message is forgotten. */
typedef struct {
    uint16_t grain;
    uint16_t grains;
} QueueRun;

void queue_init(Queue *queue);
void queue_finish(Queue *queue);

/* As link_submit_parts. The less urgent may not fill the whole queue. */
MeshError queue_submit(Queue *queue, LinkPriority priority, uint64_t deadline_us, Bytes head,
                       Bytes body, uint64_t *ret_id);
/* Bytes of this priority that the queue can still take. */
size_t queue_room(const Queue *queue, LinkPriority priority);
/* As link_cancel. */
void queue_cancel(Queue *queue, uint64_t id);
/* Drops what is past its deadline. */
void queue_expire(Queue *queue, uint64_t now_us);
/* Queues the copies that are due; `riding`: a packet leaves anyway, and takes those that may ride.
 * While much waits to be sent for the first time there are none of what is reliable. */
void queue_copy(Queue *queue, uint64_t now_us, bool riding);

/* What is on its way may be lost: what of it is small, reliable, and left longest ago goes again,
 * `wait_us` after that and not before `from_us`; when voice leaves then or, at the latest,
 * `ride_us` after. */
void queue_insist(Queue *queue, uint64_t wait_us, uint64_t from_us, uint64_t ride_us);

/* The first message of a priority, or the next after one, that may be sent; NULL: none. */
Message *queue_next(const Queue *queue, LinkPriority priority, const Message *after);
/* Anything of this priority, or more urgent, may be sent. */
bool queue_ready(const Queue *queue, LinkPriority least);
/* The message with this id; NULL when it is gone. */
Message *queue_find(const Queue *queue, uint64_t id);
/* The next grains to be sent at or after `from`, lost ones first; false: none. */
bool queue_run(const Message *message, uint16_t from, QueueRun *ret_run);
/* The run was sent. True: the message is now wholly sent for the first time. */
bool queue_sent(Queue *queue, Message *message, const QueueRun *run);
/* Plans the next copy of a message wholly sent: it may ride from one time on, and is due at the
 * other. */
void queue_plan_copy(Queue *queue, Message *message, uint64_t ride_us, uint64_t copy_us);
/* Some of the chunk is not known to have arrived, and still should. */
bool queue_wants(const Queue *queue, const FlightChunk *chunk);
void queue_acked(Queue *queue, const FlightChunk *chunk);
/* What was sent at this time is to be sent again, unless it was since. */
void queue_lost(Queue *queue, const FlightChunk *chunk, uint64_t sent_us);
