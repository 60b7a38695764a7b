/* Which of many vectors, kept as a byte a number, have the greatest inner products with a question's: a scan in AVX-512
 * VNNI, of all of them or of those that a bit a number leaves. The question is rounded too, so what is found are
 * candidates, to be scored again. */
#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>

enum { STEP = 64, BLOCK = 256, PLANES = 4, LANES = 16, ROOM = 4, AHEAD = 8, MOST_CORES = 64 };

int searcher_scan_supported(void) {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw");
}

int searcher_sieve_supported(void) {
    return searcher_scan_supported() && __builtin_cpu_supports("avx512vpopcntdq") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
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

static inline int32_t product(const uint8_t *code, const int8_t *weight, int width) {
    __m512i sum = _mm512_setzero_si512(), other = sum;
    int i = 0;
    for (; i + 2 * STEP <= width; i += 2 * STEP) {
        sum = _mm512_dpbusd_epi32(sum, _mm512_loadu_si512(code + i), _mm512_loadu_si512(weight + i));
        other =
            _mm512_dpbusd_epi32(other, _mm512_loadu_si512(code + i + STEP), _mm512_loadu_si512(weight + i + STEP));
    }
    for (; i < width; i += STEP) {
        const __mmask64 there = width - i < STEP ? (1ull << (width - i)) - 1 : ~0ull;
        sum = _mm512_dpbusd_epi32(sum, _mm512_maskz_loadu_epi8(there, code + i),
                                  _mm512_maskz_loadu_epi8(there, weight + i));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(sum, other));
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
                const int32_t score = product(codes + place * width, weight, width);
                if (score > best[k - 1])
                    enter(score, place, k, best, places + (int64_t)q * k);
            }
        }
    }
}

/* A bit a number: whether it is above its mean; and by how much a vector's signs stand for it (RaBitQ, Gao & Long 2024):
 * x ≈ f signs(x) with f = |x|² / Σ |x_i|. Of vectors first … end - 1, first a multiple of 16. bits: for each 8 vectors
 * and each 64 numbers a word of every vector. terms: for each 8 vectors their f, then f times how many bits are set. */
void searcher_signs(const uint8_t *codes, int64_t first, int64_t end, int width, const float *means,
                    const float *steps, uint64_t *bits, float *terms) {
    const int words = (width + STEP - 1) / STEP;
    for (int64_t place = first; place < end; place++) {
        const uint8_t *code = codes + place * width;
        uint64_t *own = bits + (place >> 3) * words * 8 + (place & 7);
        __m512 squares = _mm512_setzero_ps(), sizes = squares;
        int64_t set = 0;
        for (int word = 0; word < words; word++) {
            uint64_t signs = 0;
            for (int i = word * STEP; i < width && i < (word + 1) * STEP; i += LANES) {
                const __mmask16 there = width - i < LANES ? (1u << (width - i)) - 1 : 0xffff;
                const __m512 x = _mm512_mul_ps(
                    _mm512_sub_ps(_mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(there, code + i))),
                                  _mm512_maskz_loadu_ps(there, means + i)),
                    _mm512_maskz_loadu_ps(there, steps + i));
                squares = _mm512_fmadd_ps(x, x, squares);
                sizes = _mm512_add_ps(sizes, _mm512_abs_ps(x));
                signs |= (uint64_t)_mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ) << (i % STEP);
            }
            own[8 * word] = signs;
            set += __builtin_popcountll(signs);
        }
        const float size = _mm512_reduce_add_ps(sizes), f = size > 0 ? _mm512_reduce_add_ps(squares) / size : 0;
        terms[(place >> 3) * 16 + (place & 7)] = f;
        terms[(place >> 3) * 16 + (place & 7) + 8] = f * set;
    }
}

/* The `wanted` greatest come first, in any order (Hoare's selection); returns the least of these. */
static float keep(float *scores, int32_t *places, int count, int wanted) {
    int low = 0, high = count - 1;
    while (low < high) {
        const float pivot = scores[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (scores[i] > pivot)
                i++;
            while (scores[j] < pivot)
                j--;
            if (i <= j) {
                const float score = scores[i];
                const int32_t place = places[i];
                scores[i] = scores[j], places[i++] = places[j];
                scores[j] = score, places[j--] = place;
            }
        }
        if (wanted - 1 <= j)
            high = j;
        else if (wanted - 1 >= i)
            low = i;
        else
            break;
    }
    float least = scores[0];
    for (int i = 1; i < wanted; i++)
        least = scores[i] < least ? scores[i] : least;
    return least;
}

/* 8 vectors' inner products with a question, as far as signs tell: f (by S - less) + low P, S from the planes. */
static inline __m256 estimate(const uint64_t *bits, const float *terms, int words, const uint64_t *planes,
                              const float *shape) {
    __m512i sums[PLANES] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512(),
                            _mm512_setzero_si512()};
    for (int word = 0; word < words; word++) {
        const __m512i own = _mm512_loadu_si512(bits + 8 * word);
        for (int plane = 0; plane < PLANES; plane++)
            sums[plane] = _mm512_add_epi64(
                sums[plane], _mm512_popcnt_epi64(_mm512_and_si512(
                                 own, _mm512_set1_epi64((int64_t)planes[(int64_t)plane * words + word]))));
    }
    const __m512i low = _mm512_add_epi64(sums[0], _mm512_slli_epi64(sums[1], 1)),
                  high = _mm512_add_epi64(sums[2], _mm512_slli_epi64(sums[3], 1));
    const __m256 sum = _mm512_cvtepi64_ps(_mm512_add_epi64(low, _mm512_slli_epi64(high, 2)));
    const __m256 centred = _mm256_fmsub_ps(_mm256_set1_ps(shape[0]), sum, _mm256_set1_ps(shape[1]));
    return _mm256_fmadd_ps(_mm256_loadu_ps(terms), centred,
                           _mm256_mul_ps(_mm256_set1_ps(shape[2]), _mm256_loadu_ps(terms + 8)));
}

/* What a sieve is made of: codes (n, width), their signs and terms; of each question its weights (width) for the codes,
 * its planes (4, words) and shape (3) for the signs; of each core and question room for 4 wanted candidates. */
typedef struct {
    const uint8_t *codes;
    const uint64_t *bits;
    const float *terms;
    const int8_t *weights;
    const uint64_t *planes;
    const float *shapes;
    const uint8_t *allowed;
    float *room_scores;
    int32_t *room_places;
    int32_t *scores;
    int64_t *places;
    int64_t count;
    int32_t width, questions, wanted, k, cores;
} Sieve;

typedef struct {
    const Sieve *sieve;
    int number;
} Share;

static int sift(const Sieve *s, int q, int64_t block, int64_t stop, int count, float *least, float *scores,
                int32_t *places) {
    const int words = (s->width + STEP - 1) / STEP;
    const uint64_t *planes = s->planes + (int64_t)q * PLANES * words;
    const float *shape = s->shapes + 3 * q;
    const __m512i lanes = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    for (int64_t place = block; place < stop; place += LANES) {
        const int64_t group = place >> 3;
        const uint64_t *bits = s->bits + group * words * 8;
        const float *terms = s->terms + group * 16;
        const __m512 found =
            _mm512_insertf32x8(_mm512_castps256_ps512(estimate(bits, terms, words, planes, shape)),
                               estimate(bits + words * 8, terms + 16, words, planes, shape), 1);
        __mmask16 take = _mm512_cmp_ps_mask(found, _mm512_set1_ps(*least), _CMP_GT_OQ);
        if (!take)
            continue;
        if (s->count - place < LANES)
            take &= (1u << (s->count - place)) - 1;
        if (s->allowed)
            take &= s->allowed[group] | (group < (s->count - 1) >> 3 ? s->allowed[group + 1] << 8 : 0);
        if (count + LANES > ROOM * s->wanted) {
            *least = keep(scores, places, count, s->wanted);
            count = s->wanted;
            take = _mm512_mask_cmp_ps_mask(take, found, _mm512_set1_ps(*least), _CMP_GT_OQ);
        }
        _mm512_mask_compressstoreu_ps(scores + count, take, found);
        _mm512_mask_compressstoreu_epi32(places + count, take,
                                         _mm512_add_epi32(_mm512_set1_epi32((int32_t)place), lanes));
        count += __builtin_popcount(take);
    }
    return count;
}

/* A core's share: what is promising in a part of the vectors, and the best k of that by their codes. */
static void *sieve_share(void *argument) {
    const Share *share = argument;
    const Sieve *s = share->sieve;
    const int64_t groups = (s->count + LANES - 1) / LANES, first = groups * share->number / s->cores * LANES,
                  end = groups * (share->number + 1) / s->cores * LANES, slot = (int64_t)share->number * s->questions;
    int counts[s->questions];
    float least[s->questions];
    for (int q = 0; q < s->questions; q++)
        counts[q] = 0, least[q] = -__builtin_inff();
    for (int64_t block = first; block < end; block += BLOCK)
        for (int q = 0; q < s->questions; q++) {
            const int64_t room = (slot + q) * ROOM * s->wanted;
            counts[q] = sift(s, q, block, block + BLOCK < end ? block + BLOCK : end, counts[q], least + q,
                             s->room_scores + room, s->room_places + room);
        }
    for (int q = 0; q < s->questions; q++) {
        const int64_t room = (slot + q) * ROOM * s->wanted, to = (slot + q) * s->k;
        const int32_t *some = s->room_places + room;
        const int8_t *weight = s->weights + (int64_t)q * s->width;
        const int count = counts[q] < s->wanted ? counts[q] : s->wanted;
        if (counts[q] > count)
            keep(s->room_scores + room, s->room_places + room, counts[q], count);
        for (int i = 0; i < s->k; i++)
            s->scores[to + i] = INT32_MIN, s->places[to + i] = -1;
        for (int i = 0; i < count; i++) {
            if (i + AHEAD < count)
                for (int at = 0; at < s->width; at += STEP)
                    _mm_prefetch((const char *)s->codes + (int64_t)some[i + AHEAD] * s->width + at, _MM_HINT_T0);
            const int32_t score = product(s->codes + (int64_t)some[i] * s->width, weight, s->width);
            if (score > s->scores[to + s->k - 1])
                enter(score, some[i], s->k, s->scores + to, s->places + to);
        }
    }
    return 0;
}

/* As searcher_scan, of all vectors, but only among those `wanted` of each core's share whose signs promise most. scores, places:
 * (cores, questions, k), of which the first (questions, k) are the answer. cores: at most 64. */
void searcher_sieve(const Sieve *sieve) {
    pthread_t threads[MOST_CORES];
    Share shares[MOST_CORES];
    int begun[MOST_CORES] = {0};
    for (int core = sieve->cores - 1; core >= 0; core--) {
        shares[core] = (Share){sieve, core};
        begun[core] = core && !pthread_create(threads + core, 0, sieve_share, shares + core);
        if (!begun[core])
            sieve_share(shares + core);
    }
    const int64_t size = (int64_t)sieve->questions * sieve->k;
    for (int core = 1; core < sieve->cores; core++) {
        if (begun[core])
            pthread_join(threads[core], 0);
        for (int64_t i = 0; i < size; i++) {
            const int64_t to = i / sieve->k * sieve->k;
            if (sieve->scores[core * size + i] > sieve->scores[to + sieve->k - 1])
                enter(sieve->scores[core * size + i], sieve->places[core * size + i], sieve->k, sieve->scores + to,
                      sieve->places + to);
        }
    }
}
