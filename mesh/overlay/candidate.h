/* SPDX-License-Identifier: MPL-2.0 */
/*
 * What the choice of neighbours must know of each member: what is noted of it, what its link and
 * the map tell.
 * It owns nothing. It never decides: choice does.
 */
#pragma once

#include "mesh/overlay/choice.h"
#include "mesh/overlay/company.h"

/* It is up, and neither end is about to let it go. `neighbour` may be NULL. */
bool candidate_is_linked(const Neighbour *neighbour);
/* All of one but what the roster says (`relay`), and what candidates_compare finds. */
ChoiceCandidate candidate_of(const Mesh *mesh, const CompanyMember *member,
                             const Neighbour *neighbour);
/* What follows from all `count` of them together: `surplus` and `orphan` of each. `members[i]` is
 * what is noted of `candidates[i]`. */
void candidates_compare(const Mesh *mesh, CompanyMember *const *members,
                        ChoiceCandidate *candidates, size_t count);
