/* Which few of many vectors, kept as a byte a number, are worth a look for a question: a bit a number says, its sign.
 * The bits are kept number by number, so a question reads only those of its greatest numbers, 512 vectors at a time;
 * they are added up in registers that each hold one binary digit of 512 sums. */
#include "scan.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum {
    LINE = 64,                 /* bytes: the bits of one number of 512 vectors */
    LINES = 4,                 /* that lie side by side: a block is 2048 vectors */
    GROUP = 8 * LINE,          /* vectors */
    PART = 128,                /* groups of which the most promising are looked for together: their sums stay in the cache */
    TAKEN = 16,                /* numbers that are added at once */
    FEW = 8,                   /* digits that hold the sums of most models' questions … */
    DIGITS = 12,               /* … and of all */
    AHEAD = 8,                 /* codes */
    MOST_CORES = 64
};

typedef __m512i Bits;
typedef __m512i_u Row; /* in memory, wherever it begins */

/* The signs of vectors first … end - 1, first a multiple of 2048: bits, for each 2048 vectors and each number 256 bytes, a
 * bit a vector, whether its code is above `middles` there. */
void searcher_signs(const uint8_t *codes, int64_t first, int64_t end, int width, const uint8_t *middles,
                    uint64_t *bits) {
    for (int64_t place = first; place < end; place += STEP) {
        const int64_t block = place / (LINES * GROUP);
        uint64_t *own = bits + (block * width * LINES * GROUP + place % (LINES * GROUP)) / STEP;
        const int rows = end - place < STEP ? (int)(end - place) : STEP;
        for (int from = 0; from < width; from += STEP) {
            const int numbers = width - from < STEP ? width - from : STEP;
            const __mmask64 there = numbers < STEP ? (1ull << numbers) - 1 : ~0ull;
            const __m512i middle = _mm512_maskz_loadu_epi8(there, middles + from);
            uint64_t square[STEP] = {0};
            for (int row = 0; row < rows; row++)
                square[row] = _mm512_mask_cmpgt_epu8_mask(
                    there, _mm512_maskz_loadu_epi8(there, codes + (place + row) * width + from), middle);
            /* Turned about its diagonal (Warren, Hacker's Delight, 7-3). */
            uint64_t low = 0xffffffff;
            for (int size = STEP / 2; size; size >>= 1, low ^= low << size)
                for (int row = 0; row < STEP; row = ((row | size) + 1) & ~size) {
                    const uint64_t swap = ((square[row] >> size) ^ square[row | size]) & low;
                    square[row] ^= swap << size;
                    square[row | size] ^= swap;
                }
            for (int number = 0; number < numbers; number++)
                own[(int64_t)(from + number) * LINES * GROUP / STEP] = square[number];
        }
    }
}

/* What a sieve is made of. codes: (n, width), and their signs; of each question its weights (width) for the codes, and
 * `heavy` and then `light` numbers, both multiples of 16, that count twice and once: where they begin in a block, in
 * bytes, and all ones if they are negative. allowed: n bits, the lowest of a byte first, or NULL for all. wanted: how many
 * are looked at, of each part. room_sums: (cores, 128 groups, 12 + 2, 64); room_places: (cores, wanted).
 * scores, places: (cores, questions, k), of which the first (questions, k) are the answer. */
typedef struct {
    const uint8_t *codes;
    const uint8_t *bits;
    const int8_t *weights;
    const int32_t *starts;
    const uint64_t *flips;
    const uint8_t *allowed;
    Row *room_sums;
    int32_t *room_places;
    int32_t *scores;
    int64_t *places;
    int64_t count;
    int32_t width, questions, heavy, light, wanted, k, cores;
} Sieve;

/* What is done by the cores: each takes the next part when it has done one, for one that slept begins late. */
typedef struct {
    const Sieve *sieve;
    atomic_llong next;
} Work;

typedef struct {
    Work *work;
    int core;
} Share;

/* -- sums, a digit in each register */

#define INLINE static inline __attribute__((always_inline))

INLINE Bits odd(Bits a, Bits b, Bits c) {
    return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}

INLINE Bits most(Bits a, Bits b, Bits c) {
    return _mm512_ternarylogic_epi64(a, b, c, 0xe8);
}

/* Two of a digit more; returns what is carried. */
INLINE Bits add(Bits *digit, Bits a, Bits b) {
    const Bits carry = most(*digit, a, b);
    *digit = odd(*digit, a, b);
    return carry;
}

/* Adds 16 numbers' bits, from that digit on (Harley and Seal's tree of adders). */
INLINE void take(Bits *sums, int digit, int digits, const uint8_t *line, const int32_t *starts, const uint64_t *flips,
                 int64_t next) {
    Bits twos[8], fours[4], eights[2];
    for (int i = 0; i < 8; i++) {
        Bits pair[2];
        for (int j = 0; j < 2; j++) {
            const uint8_t *own = line + starts[2 * i + j];
            _mm_prefetch((const char *)own + next, _MM_HINT_T0);
            pair[j] = _mm512_xor_si512(_mm512_loadu_si512(own), _mm512_set1_epi64((int64_t)flips[2 * i + j]));
        }
        twos[i] = add(sums + digit, pair[0], pair[1]);
    }
    for (int i = 0; i < 4; i++)
        fours[i] = add(sums + digit + 1, twos[2 * i], twos[2 * i + 1]);
    for (int i = 0; i < 2; i++)
        eights[i] = add(sums + digit + 2, fours[2 * i], fours[2 * i + 1]);
    Bits carry = add(sums + digit + 3, eights[0], eights[1]);
#pragma GCC unroll 16
    for (int i = digit + 4; i < digits; i++) {
        const Bits both = _mm512_and_si512(sums[i], carry);
        sums[i] = _mm512_xor_si512(sums[i], carry);
        carry = both;
    }
}

/* How much each vector of some groups promises: sums, (groups, digits). */
INLINE void add_up(const Sieve *s, int q, int64_t first, int64_t groups, int digits, Row *sums) {
    const int32_t *starts = s->starts + (int64_t)q * (s->heavy + s->light);
    const uint64_t *flips = s->flips + (int64_t)q * (s->heavy + s->light);
    const int64_t block = (int64_t)s->width * LINES * LINE;
    for (int64_t group = 0; group < groups; group++) {
        const uint8_t *line = s->bits + (first + group) / LINES * block + (first + group) % LINES * LINE;
        Bits own[DIGITS];
#pragma GCC unroll 16
        for (int i = 0; i < digits; i++)
            own[i] = _mm512_setzero_si512();
        for (int i = 0; i < s->heavy; i += TAKEN)
            take(own, 1, digits, line, starts + i, flips + i, block);
        for (int i = s->heavy; i < s->heavy + s->light; i += TAKEN)
            take(own, 0, digits, line, starts + i, flips + i, block);
#pragma GCC unroll 16
        for (int i = 0; i < digits; i++)
            sums[group * digits + i] = own[i];
    }
}

/* -- the greatest of these sums */

static inline int64_t ones(Bits bits) {
    uint64_t words[8];
    int64_t count = 0;
    _mm512_storeu_si512(words, bits);
    for (int i = 0; i < 8; i++)
        count += __builtin_popcountll(words[i]);
    return count;
}

/* Which vectors of a group may be found. */
static inline Bits present(const Sieve *s, int64_t group) {
    const int64_t left = s->count - group * GROUP, bytes = (left + 7) / 8;
    if (left <= 0)
        return _mm512_setzero_si512();
    const __mmask64 there = bytes < LINE ? (1ull << bytes) - 1 : ~0ull;
    if (s->allowed) /* whose last byte has no bits beyond the last vector */
        return _mm512_maskz_loadu_epi8(there, s->allowed + group * LINE);
    uint8_t own[LINE];
    _mm512_storeu_si512(own, _mm512_maskz_set1_epi8(there, -1));
    if (left < GROUP && left % 8)
        own[bytes - 1] = (1u << left % 8) - 1;
    return _mm512_loadu_si512(own);
}

static int noted(Bits bits, int64_t group, int room, int32_t *places) {
    uint64_t words[8];
    int count = 0;
    _mm512_storeu_si512(words, bits);
    for (int i = 0; i < 8; i++)
        for (uint64_t left = words[i]; left && count < room; left &= left - 1)
            places[count++] = (int32_t)(group * GROUP + i * 64 + __builtin_ctzll(left));
    return count;
}

/* The places of `wanted` vectors of some groups with the greatest sums, or of all that may be found if they are fewer; of
 * equals the first. The threshold is found digit by digit: of those that share its higher digits, how many have a one
 * in the next? Two rows of the room beyond the sums hold which are above it, and which are equal to it so far. */
static int greatest(const Sieve *s, int64_t first, int64_t groups, int digits, const Row *sums, Row *above,
                    Row *equal, int32_t *places) {
    int64_t wanted = s->wanted;
    for (int64_t group = 0; group < groups; group++)
        above[group] = _mm512_setzero_si512(), equal[group] = present(s, first + group);
    for (int digit = digits - 1; digit >= 0; digit--) {
        int64_t count = 0;
        for (int64_t group = 0; group < groups; group++)
            count += ones(_mm512_and_si512(equal[group], sums[group * digits + digit]));
        const int set = count >= wanted;
        wanted -= set ? 0 : count;
        for (int64_t group = 0; group < groups; group++) {
            const Bits own = _mm512_and_si512(equal[group], sums[group * digits + digit]);
            above[group] = set ? above[group] : _mm512_or_si512(above[group], own);
            equal[group] = set ? own : _mm512_andnot_si512(own, equal[group]);
        }
    }
    int count = 0;
    for (int64_t group = 0; group < groups; group++)
        count += noted(above[group], first + group, s->wanted - count, places + count);
    for (int64_t group = 0; group < groups && count < s->wanted; group++)
        count += noted(equal[group], first + group, s->wanted - count, places + count);
    return count;
}

/* The places of those that may be found, if no more are than are wanted; else -1. */
static int few(const Sieve *s, int64_t first, int64_t groups, int32_t *places) {
    int64_t count = 0;
    for (int64_t group = first; s->allowed && group < first + groups && count <= s->wanted; group++)
        count += ones(present(s, group));
    if (!s->allowed || count > s->wanted)
        return -1;
    count = 0;
    for (int64_t group = first; group < first + groups; group++)
        count += noted(present(s, group), group, s->wanted, places + count);
    return (int)count;
}

/* -- what is looked at */

static void look(const Sieve *s, int q, int count, const int32_t *some, int32_t *scores, int64_t *places) {
    const int8_t *weight = s->weights + (int64_t)q * s->width;
    for (int i = 0; i < count; i++) {
        if (i + AHEAD < count)
            for (int at = 0; at < s->width; at += STEP)
                _mm_prefetch((const char *)s->codes + (int64_t)some[i + AHEAD] * s->width + at, _MM_HINT_T0);
        enter(product(s->codes + (int64_t)some[i] * s->width, weight, s->width), some[i], s->k, scores, places);
    }
}

/* What a core does: parts of the vectors, each for one question after the other, while it is in the cache. */
static void *sieve_share(void *argument) {
    const Share *share = argument;
    const Sieve *s = share->work->sieve;
    const int digits = 2 * s->heavy + s->light < 1 << FEW ? FEW : DIGITS;
    const int64_t groups = (s->count + GROUP - 1) / GROUP, parts = (groups + PART - 1) / PART,
                  slot = (int64_t)share->core * s->questions * s->k;
    Row *sums = s->room_sums + (int64_t)share->core * PART * (DIGITS + 2);
    int32_t *some = s->room_places + (int64_t)share->core * s->wanted;
    for (int64_t i = 0; i < (int64_t)s->questions * s->k; i++)
        s->scores[slot + i] = INT32_MIN, s->places[slot + i] = -1;
    for (int64_t turn; (turn = atomic_fetch_add(&share->work->next, 1)) < parts * s->questions;) {
        const int q = (int)(turn % s->questions);
        const int64_t first = turn / s->questions * PART, here = groups - first < PART ? groups - first : PART;
        int count = few(s, first, here, some);
        if (count < 0) {
            if (digits == FEW)
                add_up(s, q, first, here, FEW, sums);
            else
                add_up(s, q, first, here, DIGITS, sums);
            count = greatest(s, first, here, digits, sums, sums + PART * DIGITS, sums + PART * (DIGITS + 1), some);
        }
        look(s, q, count, some, s->scores + slot + (int64_t)q * s->k, s->places + slot + (int64_t)q * s->k);
    }
    return 0;
}

/* As searcher_scan, of all vectors, but only among those whose signs promise most. cores: at most 64. */
void searcher_sieve(const Sieve *sieve) {
    Work work = {sieve, 0};
    pthread_t threads[MOST_CORES];
    Share shares[MOST_CORES];
    int begun[MOST_CORES] = {0};
    for (int core = sieve->cores - 1; core >= 0; core--) {
        shares[core] = (Share){&work, core};
        begun[core] = core && !pthread_create(threads + core, 0, sieve_share, shares + core);
        if (!begun[core])
            sieve_share(shares + core);
    }
    const int64_t size = (int64_t)sieve->questions * sieve->k;
    for (int core = 1; core < sieve->cores; core++) {
        if (begun[core])
            pthread_join(threads[core], 0);
        for (int64_t i = 0; i < size; i++)
            enter(sieve->scores[core * size + i], sieve->places[core * size + i], sieve->k,
                  sieve->scores + i / sieve->k * sieve->k, sieve->places + i / sieve->k * sieve->k);
    }
}
