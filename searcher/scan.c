/* Which of many vectors, kept as a byte a number, have the greatest inner products with a question's: a scan in AVX-512
 * VNNI. The question is rounded too, so what is found are candidates, to be scored again. */
#include <immintrin.h>
#include <stdint.h>

enum { STEP = 64, BLOCK = 256 }; /* bytes of a register; vectors that stay in the cache for all questions */

int searcher_scan_supported(void) {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw");
}

/* Enters a vector among the k best so far, which fall. */
static void enter(int32_t score, int64_t place, int k, int32_t *scores, int64_t *places) {
    int at = k - 1;
    for (; at > 0 && scores[at - 1] < score; at--) {
        scores[at] = scores[at - 1];
        places[at] = places[at - 1];
    }
    scores[at] = score;
    places[at] = place;
}

/* codes: (n, width), of which first … end - 1 are looked at; weights: (questions, width); allowed: n bits, the lowest of a byte first,
 * or NULL for all. scores, places: (questions, k), falling; INT32_MIN and -1 where there are fewer. */
void searcher_scan(const uint8_t *codes, int64_t first, int64_t end, int width, const int8_t *weights, int questions,
                   const uint8_t *allowed, int k, int32_t *scores, int64_t *places) {
    for (int64_t i = 0; i < (int64_t)questions * k; i++)
        scores[i] = INT32_MIN, places[i] = -1;
    for (int64_t block = first; block < end; block += BLOCK) {
        const int64_t stop = block + BLOCK < end ? block + BLOCK : end;
        for (int q = 0; q < questions; q++) {
            const int8_t *weight = weights + (int64_t)q * width;
            int32_t *best = scores + (int64_t)q * k;
            for (int64_t place = block; place < stop; place++) {
                if (allowed && !(allowed[place >> 3] >> (place & 7) & 1))
                    continue;
                const uint8_t *code = codes + place * width;
                __m512i sum = _mm512_setzero_si512(), other = sum;
                int i = 0;
                for (; i + 2 * STEP <= width; i += 2 * STEP) {
                    sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(code + i), _mm512_loadu_si512(weight + i));
                    other = _mm512_dpbusd_epi32(other, _mm512_loadu_si512(code + i + STEP),
                                                _mm512_loadu_si512(weight + i + STEP));
                }
                for (; i < width; i += STEP) {
                    const __mmask64 there = width - i < STEP ? (1ull << (width - i)) - 1 : ~0ull;
                    sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(there, code + i),
                                              _mm512_maskz_loadu_epi8(there, weight + i));
                }
                const int32_t score = _mm512_reduce_add_epi32(_mm512_add_epi32(sum, other));
                if (score > best[k - 1])
                    enter(score, place, k, best, places + (int64_t)q * k);
            }
        }
    }
}
