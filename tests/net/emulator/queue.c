/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/net/emulator/queue.h"

bool emulator_queue_push(EmulatorQueue *queue, EmulatorFrame *frame, size_t limit_bytes) {
    size_t bytes = queue->bytes + frame->ip_bytes;
    if (bytes > limit_bytes)
        return false;
    frame->next = NULL;
    if (queue->last != NULL)
        queue->last->next = frame;
    else
        queue->first = frame;
    queue->last = frame;
    queue->bytes = bytes;
    return true;
}

EmulatorFrame *emulator_queue_pop(EmulatorQueue *queue) {
    EmulatorFrame *frame = queue->first;
    if (frame == NULL)
        return NULL;
    queue->first = frame->next;
    if (queue->first == NULL)
        queue->last = NULL;
    queue->bytes -= frame->ip_bytes;
    frame->next = NULL;
    return frame;
}

void emulator_queue_finish(EmulatorQueue *queue) {
    EmulatorFrame *frame;
    while ((frame = emulator_queue_pop(queue)) != NULL)
        emulator_frame_destroy(frame);
}
