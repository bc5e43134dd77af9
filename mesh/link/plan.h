/* SPDX-License-Identifier: MPL-2.0 */
/*
 * Which grains of which messages share the next packet: strictly by priority, but documents that
 * wait get a tenth. It owns the choice and the credit of the documents. It never sends: until
 * plan_write nothing of the queue has changed.
 */
#pragma once

#include "mesh/link/cover.h"
#include "mesh/link/queue.h"

typedef struct {
    Message *message;
    QueueRun run;
    PacketKind kind;
} PlanPart;

typedef struct {
    PlanPart parts[FLIGHT_CHUNKS_SIZE];
    size_t count;
    size_t used;     /* bytes of the packet, other frames included */
    size_t fragment; /* as in PlanLimits */
} Plan;

/* Bytes a packet may hold, with all that is before the chunks. */
typedef struct {
    size_t urgent;      /* with control, votes and voice, and a little chat */
    size_t beside;      /* with control or votes, before anything less urgent is added */
    size_t other;       /* with what is less urgent: a smaller one makes them wait less */
    size_t riding;      /* with pictures and documents */
    size_t fragment;    /* no smaller part of a message */
    size_t voices;      /* no more new ones, beside copies: the first would wait for the others */
    bool brief;         /* where a vote or the little that is said is, voice is not repeated */
    LinkPriority least; /* nothing less urgent than this */
} PlanLimits;

/* What decides whether a small message is worth copies. */
typedef struct {
    CoverLine cover; /* for voice */
    uint64_t trip_us;
    uint32_t loss_ppm; /* 0: not known well enough */
} PlanLine;

/* So little chat waits that it is not cut, however small packets are: each part would wait for
 * voice anew, and cost a header. Of much that waits the parts leave voice its turn. */
bool plan_is_small(const Queue *queue);
/* Chooses, beside `used` bytes of other frames. `documents_first`: it is their turn. */
void plan_fill(Plan *ret_plan, const Queue *queue, size_t used, PlanLimits limits,
               bool documents_first);
/* Writes the chunks, the last one to the end of the packet, adds them to the packet in flight, and
 * plans copies of what one packet holds whole: of small messages when many packets are lost, of
 * voice as many as `cover` says. */
void plan_write(const Plan *plan, Queue *queue, Flight *flight, FlightPacket *packet,
                uint64_t now_us, PlanLine line, BytesWriter *writer);
/* The most urgent priority in it. */
LinkPriority plan_priority(const Plan *plan);
/* Bytes of small messages in it. */
size_t plan_small_bytes(const Plan *plan);
/* Bytes of documents in it, and of all. */
size_t plan_document_bytes(const Plan *plan);
