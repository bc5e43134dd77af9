/* SPDX-License-Identifier: MPL-2.0 */
#include "tests/sim/scenario.h"

#include <string.h>

static void expect_refused(Node *node, const char *ticket, MeshError wanted) {
    MeshError error = person_try(node, ticket);

    world_expect(node->world, error == wanted, "%s is told `%s` instead of `%s`", node->name,
                 mesh_error_text(error), mesh_error_text(wanted));
}

void ticket_absent(World *world) {
    const char *ticket;
    Node *a, *b, *c, *d;
    unsigned elsewhere;

    network_set_lines(world->network, &scenario_lan);
    scenario_gather(world, 3);
    a = world->nodes[0];
    b = world->nodes[1];
    c = world->nodes[2];
    ticket = person_invite(a, MESH_ROLE_MEMBER, 2);
    check_settle(world, 20 * SECOND_US);
    scenario_chat(world, 5 * SECOND_US, SECOND_US);
    check_settle(world, 20 * SECOND_US);
    node_crash(a);
    node_crash(c);
    /* On the same LAN the beacon finds B; from elsewhere the ticket's addresses of others do. */
    d = world_add(world, 0);
    person_join(d, ticket, 30 * SECOND_US);
    person_say(b, "A est tombé");
    person_say(d, "je suis là");
    check_settle(world, 20 * SECOND_US);
    elsewhere = network_site(world->network, NAT_NONE);
    person_join(world_add(world, elsewhere), ticket, 30 * SECOND_US);
    check_settle(world, 20 * SECOND_US);
    node_start(a);
    world_run(world, 20 * SECOND_US, NULL, NULL);
    scenario_end(world, 30 * SECOND_US);
    check_linked(world, 1U << MESH_PATH_KNOCK | 1U << MESH_PATH_ICE, MINUTE_US);
}

void ticket_refused(World *world) {
    const char *once, *late;
    char *wrong;
    Node *a, *b;

    network_set_lines(world->network, &scenario_lan);
    scenario_gather(world, 2);
    a = world->nodes[0];
    b = world_add(world, 0);
    once = person_invite(a, MESH_ROLE_GUEST, 1);
    wrong = g_strdup(once);
    wrong[20] = wrong[20] == 'a' ? 'b' : 'a';
    expect_refused(b, wrong, MESH_ERROR_TICKET_MISTYPED);
    g_free(wrong);
    person_join(b, once, 20 * SECOND_US);
    expect_refused(world_add(world, 0), once, MESH_ERROR_TICKET_USED);
    late = person_invite(a, MESH_ROLE_MEMBER, 3);
    check_settle(world, 20 * SECOND_US);
    /* The clocks of members jump on: whoever admits judges the expiry by its own. */
    for (unsigned i = 0; i < 3; i++)
        world->nodes[i]->clock_s = 2 * 86400;
    expect_refused(world_add(world, 0), late, MESH_ERROR_TICKET_EXPIRED);
    for (unsigned i = 0; i < 3; i++)
        world->nodes[i]->clock_s = -86400;
    person_join(world_add(world, 0), late, 20 * SECOND_US);
    world_run(world, MINUTE_US, NULL, NULL);
    scenario_end(world, 20 * SECOND_US);
    /* Who was refused does not come in later unasked. */
    world_expect(world, mesh_info(a->mesh).members == 4, "%zu members of 4",
                 mesh_info(a->mesh).members);
}

void ticket_by_hand(World *world) {
    MeshIntent join = {.kind = MESH_INTENT_JOIN, .by_hand = true};
    MeshIntent answer = {.kind = MESH_INTENT_ANSWER}, accept = {.kind = MESH_INTENT_ACCEPT};
    const Ask *code, *answered;
    Node *a, *b;

    network_set_lines(world->network, &scenario_thin);
    scenario_gather(world, 2);
    a = world->nodes[0];
    join.text = person_invite(a, MESH_ROLE_MEMBER, 1);
    check_settle(world, 20 * SECOND_US);
    /* Where the ticket sends, there is nobody any more. */
    node_crash(world->nodes[1]);
    node_move(a, network_site(world->network, NAT_NONE));
    b = world_add(world, network_site(world->network, NAT_CONE));
    b->place = NODE_MEMBER;
    if (!person_must(b, join, 20 * SECOND_US, &code) ||
        !world_expect(world, code->text && strlen(code->text) <= MESH_CODE_MAX, "no code"))
        return;
    answer.text = code->text;
    /* People take their time, and B's node does not survive it. */
    world_run(world, 20 * SECOND_US, NULL, NULL);
    node_crash(b);
    node_start(b);
    if (!person_must(a, answer, 20 * SECOND_US, &answered) ||
        !world_expect(world, answered->text, "no code for the answer"))
        return;
    accept.text = answered->text;
    world_run(world, 20 * SECOND_US, NULL, NULL);
    person_must(b, accept, 30 * SECOND_US, NULL);
    person_say(b, "par la main");
    scenario_end(world, MINUTE_US);
}

/* A code was carried, and its node came in by itself, or was about to, before the answer was back.
 */
void ticket_meanwhile(World *world) {
    MeshIntent join = {.kind = MESH_INTENT_JOIN, .by_hand = true};
    MeshIntent answer = {.kind = MESH_INTENT_ANSWER}, accept = {.kind = MESH_INTENT_ACCEPT};
    const Ask *code, *answered;
    Node *a, *b;

    network_set_lines(world->network, &scenario_thin);
    scenario_gather(world, 2);
    a = world->nodes[0];
    join.text = person_invite(a, MESH_ROLE_MEMBER, 1);
    check_settle(world, 20 * SECOND_US);
    b = world_add(world, network_site(world->network, NAT_NONE));
    b->place = NODE_MEMBER;
    if (!person_must(b, join, 20 * SECOND_US, &code))
        return;
    answer.text = code->text;
    world_run(world, dice_below(&world->dice, 3 * SECOND_US), NULL, NULL);
    if (!person_must(a, answer, 20 * SECOND_US, &answered))
        return;
    accept.text = answered->text;
    world_run(world, dice_below(&world->dice, 3 * SECOND_US), NULL, NULL);
    person_must(b, accept, 30 * SECOND_US, NULL);
    person_say(b, "par la main");
    scenario_end(world, MINUTE_US);
}

void ticket_expelled(World *world) {
    uint32_t epoch;
    const char *ticket;
    Node *a, *c;

    network_set_lines(world->network, &scenario_lan);
    scenario_gather(world, 4);
    a = world->nodes[0];
    c = world->nodes[2];
    ticket = person_invite(a, MESH_ROLE_MEMBER, 5);
    scenario_chat(world, 5 * SECOND_US, SECOND_US);
    check_settle(world, 20 * SECOND_US);
    epoch = mesh_info(a->mesh).epoch;
    person_expel(a, c);
    person_say(c, "suis-je encore là ?");
    person_say(a, "ce que C ne lira pas");
    check_settle(world, 20 * SECOND_US);
    world_expect(world, mesh_info(a->mesh).epoch > epoch, "no new epoch after an expulsion");
    world_expect(world, mesh_info(a->mesh).members == 3, "%zu members after an expulsion",
                 mesh_info(a->mesh).members);
    expect_refused(world_add(world, 0), ticket, MESH_ERROR_TICKET_REVOKED);
    for (size_t i = 0; i < mesh_message_count(c->mesh); i++) {
        MeshMessage message;

        world_expect(world,
                     !mesh_message(c->mesh, i, &message) ||
                         !g_str_has_prefix(message.text, "ce que C"),
                     "the expelled reads on");
    }
    person_join(world_add(world, 0), person_invite(a, MESH_ROLE_MEMBER, 1), 20 * SECOND_US);
    scenario_chat(world, 5 * SECOND_US, SECOND_US);
    scenario_end(world, 30 * SECOND_US);
}
