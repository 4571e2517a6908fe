/*
 * estimate.h - how many schedules plain search would need for a body, and how many the search with reduction, from
 * some that are drawn.
 *
 * A schedule that was drawn with probability p stands for 1/p schedules: the mean of that is the number of all of them
 * (Knuth, Mathematics of Computation 29, 1975). If it is alike with at least L, itself included (class_size.h), it
 * stands for at most 1/(pL) classes: the mean of that is no less than their number. Both means are without bias
 * whatever the odds are, as long as every answer can be drawn. Threads are drawn by how many turns they have had in
 * earlier draws and have not had now, which makes schedules about equally likely; answers that are no threads evenly.
 *
 * Their quotient, the share, is the mean of 1/L over all schedules, so it is at most the greatest 1/L of any. It is
 * known much better than the two numbers, whose means depend on few unlikely schedules.
 */
#ifndef SOLO_TESTS_ESTIMATE_H
#define SOLO_TESTS_ESTIMATE_H

#include "reduction.h"

enum { ESTIMATE_BATCHES = 5 };

struct estimate {
    unsigned draws;
    unsigned uncounted;     /* too long to be counted: taken to be alike with none */
    double schedules;       /* of plain search */
    double classes;         /* at most */
    double share;           /* the one over the other */
    double lowest, highest; /* share of the batches, each a part of the draws */
    double effective;       /* so many draws of equal weight would tell as much */
    double least_alike;     /* the least L of all */
    bool only_arrivals; /* nothing was chosen but what histories tell: bytes that arrive, descriptors that are ready */
};

/* Draws schedules of a body. False: no memory. */
bool estimate_draw(const struct reduction_case *measured, unsigned draws, struct estimate *ret_estimate);

struct estimate_tally {
    bool ended;           /* within the maximum */
    unsigned schedules;   /* given-up ones included */
    unsigned classes;     /* different ones among the others */
    unsigned overcounted; /* classes that have fewer members than counted: 0, or the counting is wrong */
    unsigned exact;       /* classes that have as many as some member counts */
};

/*
 * Runs a search and tells the classes of its schedules. Only where plain search ended is it known how many members they
 * have.
 */
bool estimate_tally(const char *search, const struct reduction_case *measured, unsigned max,
                    struct estimate_tally *ret_tally);

#endif
