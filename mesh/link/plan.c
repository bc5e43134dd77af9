/* SPDX-License-Identifier: MPL-2.0 */
#include "mesh/link/plan.h"

#define COPY_LOSS_PPM 20000
#define MORE_LOSS_PPM 150000 /* from here on one copy too often is lost too, */
#define MOST_LOSS_PPM 300000 /* and two are */
#define RIDE_US       15000  /* a copy too close would be lost with the first */
#define COPY_LEAST_US 30000
#define COPY_MOST_US  150000

static PacketKind kind_of(const Message *message, const QueueRun *run) {
    if (message->state == MESSAGE_FORGOTTEN) {
        return PACKET_FORGET;
    }
    if (run->grains == message->grains) {
        return PACKET_WHOLE;
    }
    return message->deadline_us == UINT64_MAX ? PACKET_PART : PACKET_PERISHABLE;
}

/* Cutting what would fit into one packet loses it twice as often: only what is patient is cut. */
static bool may_cut(const Message *message, size_t limit) {
    return message->size +
                   packet_chunk_overhead(PACKET_WHOLE, message->size, 0, message->size, false) >
               limit ||
           (message->deadline_us == UINT64_MAX && message->priority >= LINK_CHAT);
}

/* Adds the run if there is room for it; `last`: nothing may follow. */
static bool add(Plan *plan, Message *message, QueueRun run, size_t limit, bool last) {
    PacketKind kind = kind_of(message, &run);
    size_t bytes = packet_grains_bytes(message->size, run.grain, run.grains);
    size_t used =
        plan->used + bytes + packet_chunk_overhead(kind, message->size, run.grain, bytes, last);

    if (used > limit) {
        return false;
    }
    plan->parts[plan->count++] = (PlanPart){.message = message, .run = run, .kind = kind};
    plan->used = used;
    return true;
}

/* As much of the run as there is room for. */
static void add_part(Plan *plan, Message *message, QueueRun run, size_t limit, bool last) {
    PacketKind kind = message->deadline_us == UINT64_MAX ? PACKET_PART : PACKET_PERISHABLE;
    size_t used = plan->used + packet_chunk_overhead(kind, message->size, run.grain, limit, last);
    size_t room = limit > used ? limit - used : 0;

    if (may_cut(message, limit) && room >= plan->fragment) {
        run.grains = (uint16_t)(room / PACKET_GRAIN_SIZE);
        if (!add(plan, message, run, limit, last) && run.grains > 1) {
            run.grains--; /* as long as the packet it would end the message, and need no length */
            add(plan, message, run, limit, last);
        }
    }
}

/* As much of one message as there is room for; false: the packet is full. `ends`: then nothing
 * follows in it. */
static bool add_message(Plan *plan, Message *message, size_t limit, bool ends) {
    QueueRun run;
    uint16_t from = 0;

    while (queue_run(message, from, &run)) {
        if (plan->count == FLIGHT_CHUNKS_SIZE) {
            return false;
        }
        if (!add(plan, message, run, limit, false)) {
            if (!ends || !add(plan, message, run, limit, true)) {
                add_part(plan, message, run, limit, ends);
            }
            return false;
        }
        if (run.grains == 0) {
            return true;
        }
        from = (uint16_t)(run.grain + run.grains);
    }
    return true;
}

bool plan_is_small(const Queue *queue) {
    return queue->waiting[LINK_CHAT] <= QUEUE_SMALL_SIZE;
}

static size_t limit_of(const Queue *queue, LinkPriority priority, PlanLimits limits) {
    bool uncut = priority <= LINK_VOICE || (priority == LINK_CHAT && plan_is_small(queue));

    return uncut ? limits.urgent : priority <= LINK_CHAT ? limits.other : limits.riding;
}

/* What may be taken of one priority. */
typedef struct {
    size_t limit; /* bytes of the packet then */
    size_t fresh; /* messages that were never sent */
    bool again;   /* and such as were */
    bool ends;    /* then nothing follows */
} Helping;

static bool add_priority(Plan *plan, const Queue *queue, LinkPriority priority, Helping helping) {
    Message *message = queue_next(queue, priority, NULL);
    size_t fresh = 0; /* so many that were never sent are in it */

    for (; message; message = queue_next(queue, priority, message)) {
        bool first = message->number == 0;

        if (first ? fresh == helping.fresh : !helping.again) {
            continue;
        }
        fresh += first;
        if (!add_message(plan, message, helping.limit, helping.ends)) {
            return false;
        }
    }
    return true;
}

/* A little was said, and may leave. */
static bool is_said(const Queue *queue, PlanLimits limits) {
    return limits.least >= LINK_CHAT && plan_is_small(queue) &&
           queue_next(queue, LINK_CHAT, NULL) != NULL;
}

void plan_fill(Plan *ret_plan, const Queue *queue, size_t used, PlanLimits limits,
               bool documents_first) {
    bool quick = false; /* what would wait for the rest of its packet to arrive */

    ret_plan->count = 0;
    ret_plan->used = used;
    ret_plan->fragment = limits.fragment;
    if (documents_first) {
        add_priority(ret_plan, queue, LINK_DOCUMENT,
                     (Helping){.limit = limits.other, .fresh = SIZE_MAX, .again = true});
    }
    for (unsigned i = 0; i < LINK_PRIORITIES; i++) {
        Helping helping = {.limit = limit_of(queue, i, limits),
                           .fresh = i == LINK_VOICE ? limits.voices : SIZE_MAX,
                           .again = true,
                           .ends = true};
        size_t before = ret_plan->count;

        if (i > LINK_VOICE && quick && limits.beside < helping.limit) {
            helping.limit = limits.beside;
        }
        if (i == LINK_VOICE && limits.brief) {
            helping.again = !quick && !is_said(queue, limits);
        }
        if (i > limits.least || (i == LINK_DOCUMENT && documents_first)) {
            return;
        }
        if (!add_priority(ret_plan, queue, i, helping)) {
            return;
        }
        quick = quick || (i != LINK_VOICE && ret_plan->count > before);
    }
}

/* How many copies a small message is worth, so that about one in a hundred is lost with all; of
 * voice what `cover` says. */
static uint8_t copies_of(const Message *message, uint64_t now_us, PlanLine line) {
    if (message->size > QUEUE_SMALL_SIZE) {
        return 0;
    }
    switch ((LinkPriority)message->priority) {
    case LINK_CONTROL:
    case LINK_URGENT:
    case LINK_CHAT:
        return line.loss_ppm > MOST_LOSS_PPM   ? 3
               : line.loss_ppm > MORE_LOSS_PPM ? 2
                                               : line.loss_ppm > COPY_LOSS_PPM;
    case LINK_VOICE:
        return (uint8_t)(cover_copies(&line.cover, message->size, message->deadline_us - now_us,
                                      message->number) -
                         1);
    case LINK_PICTURE:
    case LINK_DOCUMENT:
        break;
    }
    return 0;
}

/* When the next copy leaves: soon, but not so soon that what befell the last one befalls it too. */
static void plan_copy(Queue *queue, Message *message, uint64_t now_us, PlanLine line) {
    uint64_t wait_us = line.trip_us / 8;
    uint64_t ride_us = RIDE_US;

    wait_us = wait_us < COPY_MOST_US ? wait_us : COPY_MOST_US;
    wait_us = wait_us > COPY_LEAST_US ? wait_us : COPY_LEAST_US;
    if (message->priority == LINK_VOICE) {
        wait_us = (message->deadline_us - now_us) / 3;
        ride_us = cover_apart_us(&line.cover);
    }
    queue_plan_copy(queue, message, now_us + ride_us, now_us + wait_us);
}

void plan_write(const Plan *plan, Queue *queue, Flight *flight, FlightPacket *packet,
                uint64_t now_us, PlanLine line, BytesWriter *writer) {
    for (size_t i = 0; i < plan->count; i++) {
        const PlanPart *part = &plan->parts[i];
        Message *message = part->message;
        FlightChunk held = {
            .message = message->id, .grain = part->run.grain, .grains = part->run.grains};
        PacketChunk chunk = {.kind = part->kind,
                             .priority = message->priority,
                             .grain = part->run.grain,
                             .size = message->size};

        message->sent_us = now_us;
        /* The copy of a part would go again and again before the rest. */
        if (queue_sent(queue, message, &part->run) && part->kind == PACKET_WHOLE) {
            message->copies = copies_of(message, now_us, line);
            message->copied = message->copies > 0 && message->deadline_us == UINT64_MAX;
        }
        if (message->copies > 0 && part->kind == PACKET_WHOLE) {
            plan_copy(queue, message, now_us, line);
        }
        chunk.id = (uint16_t)message->number;
        chunk.life_us = message->deadline_us - now_us;
        chunk.bytes.data = message->bytes + (size_t)part->run.grain * PACKET_GRAIN_SIZE;
        chunk.bytes.length = packet_grains_bytes(message->size, part->run.grain, part->run.grains);
        flight_add_chunk(flight, packet, &held);
        packet_write_chunk(writer, &chunk, i + 1 == plan->count);
    }
}

LinkPriority plan_priority(const Plan *plan) {
    LinkPriority priority = LINK_DOCUMENT;

    for (size_t i = 0; i < plan->count; i++) {
        if (plan->parts[i].message->priority < priority) {
            priority = plan->parts[i].message->priority;
        }
    }
    return priority;
}

size_t plan_small_bytes(const Plan *plan) {
    size_t bytes = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const Message *message = plan->parts[i].message;
        bool said = message->priority <= LINK_CHAT && message->priority != LINK_VOICE;

        bytes += said && message->size <= QUEUE_SMALL_SIZE ? message->size : 0;
    }
    return bytes;
}

size_t plan_document_bytes(const Plan *plan) {
    size_t bytes = 0;

    for (size_t i = 0; i < plan->count; i++) {
        const PlanPart *part = &plan->parts[i];

        if (part->message->priority == LINK_DOCUMENT) {
            bytes += packet_grains_bytes(part->message->size, part->run.grain, part->run.grains);
        }
    }
    return bytes;
}
