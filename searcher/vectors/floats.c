/* Which of many vectors have the greatest inner products with a question's: a scan of all, in AVX2. For one question it waits
 * for memory, so wider registers would gain nothing; more of them share what was read. */
#include "best.h"
#include <immintrin.h>

enum {
    LANES = 8,
    ROWS = 4,    /* vectors at once, and questions: a sum for each pair in a register, as many as hide what an addition takes */
    ASKED = 2,
    ALONE = 1,   /* vectors at once where each is looked at only once: the CPU fetches one stream by itself, and faster */
    BLOCK = 256, /* vectors that stay in the cache while one question after the other looks at them */
};

#define INLINE static inline __attribute__((always_inline))

int searcher_floats_supported(void) {
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* A whole number of the same order, by which floats can be compared and turned back; -0 is 0. */
INLINE int32_t ordered(float number) {
    union {
        float number;
        int32_t bits;
    } same = {number + 0.0f};
    return same.bits ^ ((same.bits >> 31) & INT32_MAX);
}

INLINE float total(__m256 sums) {
    __m128 sum = _mm_add_ps(_mm256_castps256_ps128(sums), _mm256_extractf128_ps(sums, 1));
    sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
    return _mm_cvtss_f32(_mm_add_ss(sum, _mm_movehdup_ps(sum)));
}

/* 8 numbers, or as many as are left, then zeros. */
INLINE __m256 load(const float *from, int left) {
    const __m256i there = _mm256_cmpgt_epi32(_mm256_set1_epi32(left), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    return left < LANES ? _mm256_maskload_ps(from, there) : _mm256_loadu_ps(from);
}

INLINE void add(__m256 sums[ROWS][ASKED], const float *vectors, const int64_t *some, int together, int width,
                const float *questions, int asked, int from, int left) {
    __m256 question[ASKED];
    for (int q = 0; q < asked; q++)
        question[q] = load(questions + (int64_t)q * width + from, left);
    for (int row = 0; row < together; row++) {
        const __m256 vector = load(vectors + some[row] * width + from, left);
        for (int q = 0; q < asked; q++)
            sums[row][q] = _mm256_fmadd_ps(vector, question[q], sums[row][q]);
    }
}

/* Enters some vectors, so many at once, each added up in the same way: equal ones are equal to every question. The next ones
 * are fetched meanwhile, for of many streams the CPU itself fetches nothing beyond a page; into the second cache, since
 * fewer lines can be on their way to the first. */
INLINE void look(const float *vectors, const int64_t *some, int found, int together, int width, const float *questions,
                 int asked, int k, int32_t *scores, int64_t *places) {
    for (int at = 0; at < found; at += together, some += together) {
        __m256 sums[ROWS][ASKED];
        for (int row = 0; row < together; row++)
            for (int q = 0; q < asked; q++)
                sums[row][q] = _mm256_setzero_ps();
        int i = 0;
        for (; i + 2 * LANES <= width; i += 2 * LANES) {
            for (int row = 0; together > ALONE && row < together; row++)
                _mm_prefetch((const char *)(vectors + some[together + row] * width + i), _MM_HINT_T1);
            add(sums, vectors, some, together, width, questions, asked, i, LANES);
            add(sums, vectors, some, together, width, questions, asked, i + LANES, LANES);
        }
        for (; i < width; i += LANES)
            add(sums, vectors, some, together, width, questions, asked, i, width - i);
        for (int row = 0; row < together && at + row < found; row++)
            for (int q = 0; q < asked; q++)
                enter(ordered(total(sums[row][q])), some[row], k, scores + (int64_t)q * k, places + (int64_t)q * k);
    }
}

/* vectors: (n, width), of which first … end - 1 are looked at; questions: (count, width); allowed: n bits, the lowest of a byte
 * first, or NULL for all. scores, as `ordered` makes them, and places: (count, k), falling, equals by their places;
 * INT32_MIN and -1 where there are fewer. */
void searcher_floats(const float *vectors, int64_t first, int64_t end, int width, const float *questions, int count,
                     const uint8_t *allowed, int k, int32_t *scores, int64_t *places) {
    for (int64_t i = 0; i < (int64_t)count * k; i++)
        scores[i] = INT32_MIN, places[i] = -1;
    for (int64_t block = first; block < end; block += BLOCK) {
        const int64_t stop = block + BLOCK < end ? block + BLOCK : end;
        int64_t some[BLOCK + 2 * ROWS];
        int found = 0;
        for (int64_t place = block; place < stop; place++)
            if (!allowed || allowed[place >> 3] >> (place & 7) & 1)
                some[found++] = place;
        for (int i = 0; found && i < 2 * ROWS; i++)
            some[found + i] = some[found - 1]; /* read or fetched once more, and not entered */
        for (int q = 0; q < count; q += ASKED) {
            const float *question = questions + (int64_t)q * width;
            int32_t *best = scores + (int64_t)q * k;
            int64_t *where = places + (int64_t)q * k;
            const int one = count - q < ASKED;
            if (!allowed && count <= ASKED && one)
                look(vectors, some, found, ALONE, width, question, 1, k, best, where);
            else if (!allowed && count <= ASKED)
                look(vectors, some, found, ALONE, width, question, ASKED, k, best, where);
            else if (one)
                look(vectors, some, found, ROWS, width, question, 1, k, best, where);
            else
                look(vectors, some, found, ROWS, width, question, ASKED, k, best, where);
        }
    }
}
