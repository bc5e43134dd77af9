/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/schedule.h"

typedef struct {
    uint64_t at_us;
    uint64_t number;
    ScheduleAct act;
    gpointer context;
    GDestroyNotify destroy;
} Act;

struct Schedule {
    uint64_t now_us;
    uint64_t added;
    GArray *heap; /* of Act; the earliest first */
};

Schedule *schedule_create(void) {
    Schedule *schedule = g_new0(Schedule, 1);

    schedule->heap = g_array_new(FALSE, FALSE, sizeof(Act));
    return schedule;
}

static Act *act_at(const Schedule *schedule, guint index) {
    return &g_array_index(schedule->heap, Act, index);
}

void schedule_destroy(Schedule *schedule) {
    if (!schedule)
        return;
    for (guint i = 0; i < schedule->heap->len; i++) {
        Act *act = act_at(schedule, i);

        if (act->destroy)
            act->destroy(act->context);
    }
    g_array_free(schedule->heap, TRUE);
    g_free(schedule);
}

uint64_t schedule_now_us(const Schedule *schedule) {
    return schedule->now_us;
}

static gboolean before(const Schedule *schedule, guint a, guint b) {
    const Act *one = act_at(schedule, a), *other = act_at(schedule, b);

    return one->at_us < other->at_us || (one->at_us == other->at_us && one->number < other->number);
}

static void swap(Schedule *schedule, guint a, guint b) {
    Act kept = *act_at(schedule, a);

    *act_at(schedule, a) = *act_at(schedule, b);
    *act_at(schedule, b) = kept;
}

void schedule_add(Schedule *schedule, uint64_t delay_us, ScheduleAct act, gpointer context,
                  GDestroyNotify destroy) {
    Act added = {schedule->now_us + delay_us, schedule->added++, act, context, destroy};
    guint index = schedule->heap->len;

    g_array_append_val(schedule->heap, added);
    while (index > 0 && before(schedule, index, (index - 1) / 2)) {
        swap(schedule, index, (index - 1) / 2);
        index = (index - 1) / 2;
    }
}

uint64_t schedule_next_us(const Schedule *schedule) {
    return schedule->heap->len ? act_at(schedule, 0)->at_us : UINT64_MAX;
}

static Act take_first(Schedule *schedule) {
    Act first = *act_at(schedule, 0);
    guint index = 0, count = schedule->heap->len - 1;

    *act_at(schedule, 0) = *act_at(schedule, count);
    g_array_set_size(schedule->heap, count);
    for (;;) {
        guint least = index;

        for (guint child = 2 * index + 1; child <= 2 * index + 2 && child < count; child++)
            if (before(schedule, child, least))
                least = child;
        if (least == index)
            return first;
        swap(schedule, index, least);
        index = least;
    }
}

void schedule_do_next(Schedule *schedule) {
    Act act = take_first(schedule);

    schedule->now_us = act.at_us;
    act.act(act.context);
    if (act.destroy)
        act.destroy(act.context);
}

void schedule_advance(Schedule *schedule, uint64_t to_us) {
    g_assert_cmpuint(to_us, >=, schedule->now_us);
    g_assert_cmpuint(to_us, <=, schedule_next_us(schedule));
    schedule->now_us = to_us;
}
