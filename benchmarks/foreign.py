"""How many pictures of no known class are filed, and how many of known ones are refused for it?

    python benchmarks/foreign.py DATA [--sets cats_dogs_snakes=cat,dog,snake trashnet …]
        [--foreign magnetic_tile ants_bees] [--seeds 20]

Each set is learned from three quarters of its pictures, drawn at random, by the trainer's own
steps: with words as `init --classes` was given them, else with classes of its own. Judged are its
other pictures and those of the foreign sets. Exit status 1 unless at most 5 % of each foreign set
are filed, and at most 3 % of the known classes' pictures are called unlike anything known.
"""

from collections.abc import Sequence

from school import Judged, School, arguments, drawn, end, lesson, schools, seeds_of

SETS = ("cats_dogs_snakes=cat,dog,snake",)
FOREIGN = ("magnetic_tile", "ants_bees")
MOST_FILED, MOST_REFUSED = 0.05, 0.03


def main() -> None:
    parser = arguments(__doc__, SETS, 20)
    parser.add_argument("--foreign", nargs="+", default=FOREIGN)
    options = parser.parse_args()
    seeds = seeds_of(options)
    failures = []
    for school, name in schools(options):
        others = [each for each in options.foreign if each != name]
        failures += learned(school, name, others, seeds)
    end(failures)


def learned(school: School, name: str, foreign: Sequence[str], seeds: range) -> list[str]:
    photos = school.photos(name)
    strangers = {each: school.rows(school.photos(each)) for each in foreign}
    total: dict[str, list[Judged]] = {each: [] for each in (name, *foreign)}
    for seed in seeds:
        training, test = drawn(photos, seed)
        model = lesson(school.material(training), school.first()).challenger.classifier
        truth = [each.truth for each in test]
        total[name].append(Judged.of(model, school.rows(test), truth))
        for other, rows in strangers.items():
            total[other].append(Judged.of(model, rows, [""] * len(rows)))
    known = sum(total[name][1:], total[name][0])
    print(f"{name}, {len(seeds)} splits: {known}", flush=True)
    refused = known.strange / known.images
    failures = [f"{name}: {refused:.3f} called unlike"] if refused > MOST_REFUSED else []
    for other in foreign:
        found = sum(total[other][1:], total[other][0])
        filed, most = found.filed / found.images, max(j.filed / j.images for j in total[other])
        before = Judged.of(
            school.first().classifier, strangers[other], [""] * len(strangers[other])
        )
        print(
            f"  {other} into it: filed {filed:.4f} (at most {most:.3f}; by v1 "
            f"{before.filed / before.images:.3f}), unlike {found.strange / found.images:.3f}",
            flush=True,
        )
        failures += [f"{name}: {filed:.3f} of {other} filed"] if filed > MOST_FILED else []
    return failures


if __name__ == "__main__":
    main()
