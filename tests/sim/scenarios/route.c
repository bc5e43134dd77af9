/* SPDX-License-Identifier: MPL-2.0 */
#include <string.h>

#include "mesh/core.h"
#include "mesh/overlay/choice.h"
#include "tests/sim/scenario.h"

/* Paths are still being chosen: of that a second silence may come. */
#define NEW_US       (5 * SECOND_US)
#define TRIP_US      100000
#define GAP_US       300000 /* a listener hears that */
#define CHAIN        5
#define DIRECT       (1U << MESH_PATH_KNOCK | 1U << MESH_PATH_ICE)
#define ANY          (DIRECT | 1U << MESH_PATH_RELAY)
#define CALM_MINUTES 5       /* after which whom all are linked with is settled */
#define SILENT_US    1500000 /* until others carry */
#define ROAMED_US    2000000 /* the same when those were not heard either */

/* A way of 50 ms in each direction that loses so many in a hundred. */
static LineSettings line_of(double loss) {
    return (LineSettings){.lane = {.delay_us = TRIP_US / 2.0,
                                   .jitter_us = 3000,
                                   .loss = loss,
                                   .rate_bps = 1e6,
                                   .queue_bytes = 60000}};
}

/* ---- silences of a voice ---- */

typedef struct {
    World *world;
    uint64_t last_us; /* a frame came */
    uint64_t longest_us;
    unsigned gaps; /* longer than GAP_US */
} Silence;

static void hear(gpointer listener, const MeshFrame *frame) {
    Silence *silence = listener;
    uint64_t now_us = world_now_us(silence->world);
    uint64_t gap_us = silence->last_us ? now_us - silence->last_us : 0;

    (void)frame;
    silence->last_us = now_us;
    silence->longest_us = MAX(silence->longest_us, gap_us);
    silence->gaps += gap_us > GAP_US;
}

static void listen(Node *speaker, Node *listener, Silence *silence) {
    Ear *ear = voice_ear(listener, speaker->number);

    *silence = (Silence){.world = speaker->world};
    ear_reset(ear);
    ear->listen = hear;
    ear->listener = silence;
}

static void listen_no_more(Node *speaker, Node *listener) {
    voice_ear(listener, speaker->number)->listen = NULL;
}

/* Says something each now and then, for so long. */
static void talk_for(World *world, Node *node, uint64_t for_us) {
    uint64_t until_us = world_now_us(world) + for_us;

    while (world_now_us(world) < until_us) {
        person_say(node, "%u", (unsigned)dice_below(&world->dice, 1000000));
        world_run(world, MIN(until_us - world_now_us(world), SECOND_US / 2), NULL, NULL);
    }
}

/* ---- a chain ---- */

static void cut_all_but_neighbours(World *world) {
    for (unsigned a = 0; a < CHAIN; a++)
        for (unsigned b = a + 2; b < CHAIN; b++)
            network_split(world->network, hosts_of(1U << a), hosts_of(1U << b), true);
}

/* Lines only between successive ones: who is at one end talks with who is at the other. */
void route_row(World *world) {
    LineSettings line = line_of(0.02);
    Node *first, *last;
    uint64_t spoken;
    const Ear *ear;

    network_set_lines(world->network, &line);
    cut_all_but_neighbours(world);
    first = world_add(world, network_site(world->network, NAT_NONE));
    person_create(first, "Cellule de crise");
    for (unsigned i = 1; i < CHAIN; i++) {
        const char *ticket = person_invite(world->nodes[i - 1], MESH_ROLE_MEMBER, 1);

        person_join(world_add(world, network_site(world->network, NAT_NONE)), ticket,
                    30 * SECOND_US);
    }
    last = world->nodes[CHAIN - 1];
    ear = voice_ear(last, 0);
    check_linked(world, ANY, 20 * SECOND_US);
    world_expect(world, check_path(first, last) == MESH_PATH_RELAY,
                 "both ends are linked by a path of kind %d", check_path(first, last));
    check_settle(world, 20 * SECOND_US);
    ear_reset(voice_ear(last, 0));
    spoken = voice_spoken(first->voice);
    voice_speak(first, 60);
    person_add(first, 100000);
    talk_for(world, last, 30 * SECOND_US);
    voice_end(first);
    world_run(world, SECOND_US, NULL, NULL);
    spoken = voice_spoken(first->voice) - spoken;
    world_note(world,
               "over four hops %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
               " frames are heard, %" G_GUINT64_FORMAT " late, p50 %.0f ms",
               ear->frames, spoken, ear->late,
               (double)scenario_percentile(ear->delays_us, 50) / 1e3);
    world_expect(world, (ear->frames - ear->late) * 100 >= spoken * 98,
                 "over four hops %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                 " frames are heard, %" G_GUINT64_FORMAT " late",
                 ear->frames, spoken, ear->late);
    check_settle(world, MINUTE_US);
}

/* ---- a direct path dies, and comes back ---- */

/* Three, each with lines to both others; and the first speaks to the second. */
static void meet_three(World *world, double loss) {
    LineSettings line = line_of(loss);

    network_set_lines(world->network, &line);
    scenario_gather(world, 3);
    check_settle(world, 30 * SECOND_US);
    check_linked(world, DIRECT, MINUTE_US);
}

typedef enum { BOTH_WAYS, THERE, BACK, CUTS } Cut;

static void cut_line(World *world, Cut cut, bool is) {
    if (cut != BACK)
        line_cut(network_line(world->network, 0, 1), is);
    if (cut != THERE)
        line_cut(network_line(world->network, 1, 0), is);
}

/* What is said goes on through the third at once, and directly again when it can; nothing is lost,
 * and there is one silence at most each time. */
void route_breaks(World *world) {
    static const char *const names[CUTS] = {"both ways", "there", "back"};
    Cut cut = (Cut)(world->options.seed % CUTS);
    bool answers = world->options.seed / CUTS % 2;
    double loss = world->options.seed / CUTS / 2 % 2 ? 0.05 : 0;
    Silence there, back;
    Node *a, *b;

    meet_three(world, loss);
    a = world->nodes[0];
    b = world->nodes[1];
    world_run(world, NEW_US, NULL, NULL);
    voice_speak(a, 60);
    if (answers)
        voice_speak(b, 60);
    world_run(world, 5 * SECOND_US + dice_below(&world->dice, SECOND_US), NULL, NULL);
    listen(a, b, &there);
    listen(b, a, &back);
    talk_for(world, a, 2 * SECOND_US);
    cut_line(world, cut, true);
    talk_for(world, a, 10 * SECOND_US);
    world_note(world, "cut %s, %s, %.0f %% loss: silence %.0f ms there, %.0f ms back", names[cut],
               answers ? "both speak" : "one speaks", loss * 100, (double)there.longest_us / 1e3,
               (double)back.longest_us / 1e3);
    world_expect(world, there.longest_us <= SILENT_US && back.longest_us <= SILENT_US,
                 "cut %s: silent for %" G_GUINT64_FORMAT " ms there, %" G_GUINT64_FORMAT " ms back",
                 names[cut], there.longest_us / 1000, back.longest_us / 1000);
    world_expect(world, loss > 0 || (there.gaps <= 1 && back.gaps <= 1),
                 "cut %s: %u silences there, %u back", names[cut], there.gaps, back.gaps);
    world_expect(world, check_path(a, b) == MESH_PATH_RELAY, "they are linked by kind %d",
                 check_path(a, b));
    check_settle(world, 5 * SECOND_US);
    /* And back. */
    listen(a, b, &there);
    listen(b, a, &back);
    cut_line(world, cut, false);
    talk_for(world, a, 10 * SECOND_US);
    check_linked(world, DIRECT, 30 * SECOND_US);
    talk_for(world, a, 2 * SECOND_US);
    world_note(world, "healed: silence %.0f ms there, %.0f ms back", (double)there.longest_us / 1e3,
               (double)back.longest_us / 1e3);
    world_expect(world, loss > 0 || (there.gaps <= 1 && back.gaps <= 1),
                 "healed: %u silences there, %u back", there.gaps, back.gaps);
    listen_no_more(a, b);
    listen_no_more(b, a);
    voice_end(a);
    voice_end(b);
    check_settle(world, 10 * SECOND_US);
}

/* ---- no false alarms ---- */

#define SUSPECT_TURNS 30 /* tenths of a second between two times of suspecting all */

/* As if others had said that everybody was gone. */
static void suspect_all(World *world) {
    for (unsigned i = 0; i < 3; i++) {
        Mesh *mesh = world->nodes[i]->mesh;

        node_step(world->nodes[i], &(MeshEvent){.kind = MESH_EVENT_TIMEOUT}); /* what time it is */
        for (unsigned j = 0; j < 3; j++)
            if (i != j)
                pulse_suspect(mesh, neighbour_find(mesh, &world->nodes[j]->key));
        node_step(world->nodes[i], &(MeshEvent){.kind = MESH_EVENT_TIMEOUT});
    }
}

/* Where a fifth is lost each way nobody is thought gone, and nothing takes another way: neither
 * while voice flows nor, in the second half, when others suspect each again and again. */
void route_lossy(World *world) {
    uint64_t came_us[3][3] = {{0}};

    meet_three(world, 0.2);
    for (unsigned i = 0; i < 2; i++)
        voice_speak(world->nodes[i], 60);
    world_run(world, 10 * SECOND_US, NULL, NULL);
    for (unsigned i = 0; i < 3; i++)
        for (unsigned j = 0; j < 3; j++)
            if (i != j)
                came_us[i][j] =
                    neighbour_find(world->nodes[i]->mesh, &world->nodes[j]->key)->came_us;
    for (unsigned turn = 0; turn < 600 * world->options.minutes; turn++) {
        world_run(world, SECOND_US / 10, NULL, NULL);
        if (turn == 300 * world->options.minutes)
            for (unsigned i = 0; i < 2; i++)
                voice_end(world->nodes[i]);
        else if (turn > 300 * world->options.minutes && turn % SUSPECT_TURNS == 0)
            suspect_all(world);
        for (unsigned i = 0; i < 3; i++)
            for (unsigned j = 0; j < 3; j++) {
                const Neighbour *neighbour =
                    i == j ? NULL : neighbour_find(world->nodes[i]->mesh, &world->nodes[j]->key);

                world_expect(world,
                             !neighbour || (neighbour->came_us == came_us[i][j] &&
                                            neighbour_is_direct(neighbour)),
                             "%s took %s for gone, or silent", world->nodes[i]->name,
                             world->nodes[j]->name);
            }
    }
}

/* ---- silence ---- */

static bool is_up(const Node *node, const Node *other) {
    return check_path(node, other) != MESH_PATH_NONE;
}

/* How long until one sees the other so; at most a minute. */
static uint64_t until_seen(const Node *node, const Node *other, bool up) {
    World *world = node->world;
    uint64_t since_us = world_now_us(world);

    while (is_up(node, other) != up && world_now_us(world) < since_us + MINUTE_US)
        world_run(world, SECOND_US / 100, NULL, NULL);
    return world_now_us(world) - since_us;
}

/* Of two who have nobody else: while voice flows both know soon that the line is dead, but what
 * was under way waits for it; where nothing is said there is time. */
void route_silence(World *world) {
    LineSettings line = line_of(0.01);
    Cut cut = (Cut)(world->options.seed % CUTS);
    uint64_t came_us, took_us;
    Node *a, *b;

    network_set_lines(world->network, &line);
    scenario_gather(world, 2);
    check_settle(world, 20 * SECOND_US);
    a = world->nodes[0];
    b = world->nodes[1];
    came_us = neighbour_find(b->mesh, &a->key)->came_us;
    voice_speak(a, 60);
    world_run(world, 5 * SECOND_US + dice_below(&world->dice, SECOND_US), NULL, NULL);
    cut_line(world, cut, true);
    person_say(a, "m'entends-tu ?");
    took_us = until_seen(a, b, false);
    took_us += cut == BACK ? 0 : until_seen(b, a, false);
    world_note(world, "known after %.0f ms", (double)took_us / 1e3);
    world_expect(world, took_us <= 2 * SECOND_US + 3 * TRIP_US + 150000,
                 "known after %" G_GUINT64_FORMAT " ms", took_us / 1000);
    world_run(world, 2 * SECOND_US, NULL, NULL);
    cut_line(world, BOTH_WAYS, false);
    took_us = until_seen(b, a, true);
    took_us += until_seen(a, b, true);
    world_expect(world, took_us <= 2 * SECOND_US, "back after %" G_GUINT64_FORMAT " ms",
                 took_us / 1000);
    world_expect(world, neighbour_find(b->mesh, &a->key)->came_us == came_us,
                 "the link began anew");
    check_settle(world, 5 * SECOND_US);
    /* Quiet ones. */
    voice_end(a);
    world_run(world, MINUTE_US, NULL, NULL);
    cut_line(world, BOTH_WAYS, true);
    took_us = until_seen(b, a, false);
    took_us += until_seen(a, b, false);
    world_note(world, "a quiet link is known to be dead after %.0f s", (double)took_us / 1e6);
    world_expect(world, took_us > 5 * SECOND_US && took_us <= 30 * SECOND_US,
                 "a quiet link is dead after %" G_GUINT64_FORMAT " s", took_us / SECOND_US);
    cut_line(world, BOTH_WAYS, false);
    check_settle(world, MINUTE_US);
}

/* ---- roaming ---- */

/* A laptop moves, or a router forgets, while it hears a voice. */
void route_roam(World *world) {
    LineSettings line = line_of(0);
    bool moves = world->options.seed % 2;
    Node *a, *b, *c;
    Silence silence;
    const char *ticket;

    network_set_lines(world->network, &line);
    a = world_add(world, network_site(world->network, NAT_NONE));
    person_create(a, "Cellule de crise");
    ticket = person_invite(a, MESH_ROLE_MEMBER, 5);
    for (unsigned i = 0; i < 2; i++)
        person_join(world_add(world, network_site(world->network, NAT_CONE)), ticket,
                    30 * SECOND_US);
    check_settle(world, 30 * SECOND_US);
    check_linked(world, DIRECT, MINUTE_US);
    b = world->nodes[1];
    c = world->nodes[2];
    voice_speak(b, 60);
    world_run(world, 5 * SECOND_US, NULL, NULL);
    listen(b, c, &silence);
    talk_for(world, b, 2 * SECOND_US);
    if (moves)
        node_move(c, network_site(world->network, NAT_CONE));
    else
        network_rebind(world->network, 2);
    talk_for(world, b, 15 * SECOND_US);
    world_note(world, "%s: silence %.0f ms", moves ? "moved" : "rebound",
               (double)silence.longest_us / 1e3);
    world_expect(world, silence.longest_us <= ROAMED_US && silence.gaps <= 1,
                 "%s: %u silences, the longest of %" G_GUINT64_FORMAT " ms",
                 moves ? "moved" : "rebound", silence.gaps, silence.longest_us / 1000);
    check_linked(world, DIRECT, MINUTE_US);
    listen_no_more(b, c);
    voice_end(b);
    check_settle(world, 20 * SECOND_US);
}

/* ---- one door ---- */

static unsigned links_of(const Node *node) {
    unsigned links = 0;

    for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
        const Neighbour *neighbour = neighbour_at(node->mesh, slot);

        links += neighbour && neighbour_is_direct(neighbour);
    }
    return links;
}

static unsigned members_of(const World *world) {
    unsigned members = 0;

    for (unsigned i = 0; i < world->node_count; i++)
        members += mesh_info(world->nodes[i]->mesh).status == MESH_STATUS_MEMBER;
    return members;
}

static bool are_in(const World *world) {
    return members_of(world) == world->node_count;
}

static bool are_linked(const World *world) {
    unsigned count = 0;

    for (unsigned i = 0; i < world->node_count; i++) {
        unsigned links = links_of(world->nodes[i]);

        count += links >= MIN(3, world->node_count - 1) &&
                 map_present_count(world->nodes[i]->mesh) == world->node_count - 1;
    }
    return count == world->node_count;
}

/* What came together at the door has gone where it is not needed. */
static bool are_rid(const World *world) {
    unsigned sum = 0;

    for (unsigned i = 0; i < world->node_count; i++) {
        unsigned links = links_of(world->nodes[i]);

        sum += links;
        if (links > CHOICE_MOST)
            return false;
    }
    return sum <= 8 * world->node_count;
}

/* Looks now and then. */
static bool await(World *world, bool (*holds)(const World *world), uint64_t within_us) {
    uint64_t until_us = world_now_us(world) + within_us;

    while (!holds(world) && world_now_us(world) < until_us)
        world_run(world, SECOND_US / 10, NULL, NULL);
    return holds(world);
}

static void note_links(World *world, const char *when) {
    unsigned least = UINT_MAX, most = 0, sum = 0;

    for (unsigned i = 0; i < world->node_count; i++) {
        unsigned links = links_of(world->nodes[i]);

        least = MIN(least, links);
        most = MAX(most, links);
        sum += links;
    }
    world_note(world, "%s: %u to %u links each, %.1f on average, %u at the door", when, least, most,
               (double)sum / world->node_count, links_of(world->nodes[0]));
}

/* Whom everyone is linked with is settled: for minutes no link comes or goes. */
static void expect_calm(World *world) {
    uint64_t now_us = world_now_us(world);

    world_run(world, 3 * MINUTE_US, NULL, NULL);
    for (unsigned i = 0; i < world->node_count; i++)
        for (uint32_t slot = 0; slot < MESH_PEERS_MAX; slot++) {
            const Neighbour *neighbour = neighbour_at(world->nodes[i]->mesh, slot);

            world_expect(world,
                         !neighbour || !neighbour_is_up(neighbour) || neighbour->came_us <= now_us,
                         "%s is linked anew though nothing happened", world->nodes[i]->name);
        }
}

/* All come at once, with one ticket, by way of one member, who is soon one of many again. */
void route_door(World *world) {
    LineSettings line = line_of(0.01);
    unsigned count = world->options.nodes;
    Node *first;
    char *ticket;

    line.lane.delay_us = 15000;
    line.lane.rate_bps = 20e6;
    network_set_lines(world->network, &line);
    first = world_add(world, network_site(world->network, NAT_NONE));
    person_create(first, "Portes ouvertes");
    ticket = g_strdup(person_invite(first, MESH_ROLE_MEMBER, count));
    for (unsigned i = 1; i < count; i++) {
        Node *node = world_add(world, network_site(world->network, NAT_NONE));

        node->place = NODE_MEMBER;
        person_ask(node, (MeshIntent){.kind = MESH_INTENT_JOIN, .text = ticket});
    }
    g_free(ticket);
    world_expect(world, await(world, are_in, MINUTE_US), "%u of %u are in", members_of(world),
                 count);
    note_links(world, "all are in");
    world_expect(world, await(world, are_linked, 30 * SECOND_US), "somebody has too few links");
    note_links(world, "all are linked");
    world_expect(world, await(world, are_rid, 90 * SECOND_US), "somebody keeps too many links");
    note_links(world, "what is too much is gone");
    world_run(world, world->options.minutes * MINUTE_US, NULL, NULL);
    note_links(world, "later");
    if (world->options.minutes >= CALM_MINUTES) {
        world_expect(world, are_rid(world), "somebody has too many links again");
        expect_calm(world);
    }
    check_settle(world, 10 * SECOND_US);
}

/* Most are away: those who are left look for them, but it costs them little. */
void route_away(World *world) {
    const unsigned count = 14, stay = 2;
    uint64_t before = 0, after = 0;

    network_set_lines(world->network, &scenario_lan);
    scenario_gather(world, count);
    check_settle(world, 20 * SECOND_US);
    for (unsigned i = stay; i < count; i++)
        node_crash(world->nodes[i]);
    world_run(world, 5 * MINUTE_US, NULL, NULL);
    for (unsigned i = 0; i < stay; i++)
        before += world->nodes[i]->sent_bytes;
    world_run(world, 10 * MINUTE_US, NULL, NULL);
    for (unsigned i = 0; i < stay; i++)
        after += world->nodes[i]->sent_bytes;
    world_note(world, "each sends %.0f bit/s, %u are away",
               (double)(after - before) * 8 / 600 / stay, count - stay);
    world_expect(world, (after - before) * 8 / 600 / stay <= 2000, "each sends %.0f bit/s",
                 (double)(after - before) * 8 / 600 / stay);
    /* And whoever comes back is found, whoever looks. */
    for (unsigned i = stay; i < count; i++)
        node_start(world->nodes[i]);
    check_settle(world, 30 * SECOND_US);
}
