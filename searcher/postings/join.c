/* What BM25 has words add to passages: to all that hold one of them, or to some in hand; who can still be among the best.
 *
 * Plain C for any CPU. Compiled without fused products: sums are those of numpy, and of FTS5, to the last bit. */
#include <stdint.h>

#define INLINE static inline __attribute__((always_inline))
#define K1 1.2
#define B 0.75
#define BLOCK 4096

/* Of a word: its passages (m), rising, how often each holds it, in numbers of so many bytes, its weight, and the
 * most that it and all words after it add. */
typedef struct {
    const int32_t *places;
    const void *counts;
    int64_t m;
    int32_t bytes;
    double weight, rest;
} word;

INLINE double count_of(const word *own, int64_t at) {
    switch (own->bytes) {
    case 1: return ((const uint8_t *)own->counts)[at];
    case 2: return ((const uint16_t *)own->counts)[at];
    case 4: return ((const uint32_t *)own->counts)[at];
    default: return (double)((const int64_t *)own->counts)[at];
    }
}

/* What the word is worth to its passage number `at`: `share` of segment.py, operation by operation. */
INLINE double worth(const word *own, int64_t at, const int32_t *lengths, double average) {
    double held = count_of(own, at), rest = B * lengths[own->places[at]];
    rest /= average;
    rest += 1 - B;
    rest *= K1;
    rest += held;
    held *= K1 + 1.0;
    return own->weight * (held / rest);
}

/* The first place in the list, from `at` on, that is not below `place`; m if there is none. */
INLINE int64_t reach(const word *own, int64_t at, int32_t place) {
    int64_t step = 1, last;
    if (at >= own->m || own->places[at] >= place)
        return at;
    while (at + step < own->m && own->places[at + step] < place) {
        at += step;
        step *= 2;
    }
    last = at + step < own->m ? at + step : own->m; /* places[at] < place <= places[last] */
    while (last - at > 1) {
        const int64_t middle = at + (last - at) / 2;
        if (own->places[middle] < place)
            at = middle;
        else
            last = middle;
    }
    return last;
}

/* Every passage that holds one of some words, in the order of their places, with what the words are worth to it, one after
 * the other; of those that count in the mask (NULL: all) who has the bar with `rest` more. total: how many passages there
 * are, of which a block at a time is added up in the cache. at: (words) numbers, for the use of this function. Returns how
 * many there are in `places` and `sums`, which have room for all. */
int64_t searcher_unite(const word *words, int count, const int32_t *lengths, int64_t total, const uint8_t *mask,
                       double average, double rest, double bar, int64_t *at, int32_t *places, double *sums) {
    double block[BLOCK] = {0};
    uint64_t touched[BLOCK / 64];
    int64_t found = 0;
    for (int w = 0; w < count; w++)
        at[w] = 0;
    for (int64_t start = 0; start < total; start += BLOCK) {
        const int64_t stop = start + BLOCK < total ? start + BLOCK : total;
        for (int t = 0; t < BLOCK / 64; t++)
            touched[t] = 0;
        for (int w = 0; w < count; w++) {
            const word *own = words + w;
            int64_t j = at[w];
            for (; j < own->m && own->places[j] < stop; j++) {
                const int64_t inside = own->places[j] - start;
                if (inside < 0) /* not rising: the file was damaged since it was verified */
                    continue;
                block[inside] += worth(own, j, lengths, average);
                touched[inside / 64] |= (uint64_t)1 << inside % 64;
            }
            at[w] = j;
        }
        for (int t = 0; t < BLOCK / 64; t++)
            for (uint64_t left = touched[t]; left; left &= left - 1) {
                const int64_t inside = 64 * t + __builtin_ctzll(left);
                places[found] = (int32_t)(start + inside);
                sums[found] = block[inside];
                found += block[inside] + rest >= bar && (!mask || mask[start + inside]);
                block[inside] = 0;
            }
    }
    return found;
}

/* places (n), rising, and sums, of passages in hand: with what the words are worth to each, one after the other, but for
 * those that have no `bar` with the rest of a word more. Returns how many are left, in their place. */
int64_t searcher_join(const word *words, int count, int32_t *places, double *sums, int64_t n, const int32_t *lengths,
                      double average, double bar) {
    for (const word *own = words; own < words + count; own++) {
        int64_t j = 0, left = 0;
        for (int64_t i = 0; i < n; i++) {
            if (sums[i] + own->rest < bar)
                continue;
            j = reach(own, j, places[i]);
            places[left] = places[i];
            sums[left] = sums[i];
            if (j < own->m && own->places[j] == places[i])
                sums[left] += worth(own, j, lengths, average);
            left++;
        }
        n = left;
    }
    return n;
}
