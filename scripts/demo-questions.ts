/**
 * The questions of the demo: in words, in SQL, and as a computation over the files' rows in plain JavaScript, which knows
 * nothing of the database. The answers of both have to agree.
 */

import type { DemoRows, Flight, Movie, Place, Quake, Strike } from './demo-data.ts';

export type Question = {
  readonly text: string;
  readonly sql: string;
  /** The rows of the answer; a row of one column is the bare value, as the database shows it. */
  readonly answer: (rows: DemoRows) => readonly unknown[];
};

type Order = number | string | null;

function average(values: readonly number[]): number | null {
  return values.length === 0 ? null : sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function highest(values: readonly number[]): number | null {
  return values.reduce<number | null>((most, value) => (most === null || value > most ? value : most), null);
}

function lowest(values: readonly number[]): number | null {
  return values.reduce<number | null>((least, value) => (least === null || value < least ? value : least), null);
}

/** NULL before everything, text by its bytes. */
function compareValues(a: Order, b: Order): number {
  if (a === null || b === null) return Number(b === null) - Number(a === null);
  if (typeof a === 'string' && typeof b === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return Number(a) - Number(b);
}

/** A comparison by one value after another; `descending` turns the direction of one. */
function by<Row>(...keys: readonly ((row: Row) => Order | Descending)[]): (a: Row, b: Row) => number {
  return (a, b) => {
    for (const key of keys) {
      const left = key(a);
      const right = key(b);
      const order =
        left instanceof Descending && right instanceof Descending
          ? compareValues(right.value, left.value)
          : compareValues(left as Order, right as Order);
      if (order !== 0) return order;
    }
    return 0;
  };
}

class Descending {
  readonly value: Order;
  constructor(value: Order) {
    this.value = value;
  }
}

function descending(value: Order): Descending {
  return new Descending(value);
}

function groups<Row, Key extends Order>(rows: readonly Row[], key: (row: Row) => Key): [Key, Row[]][] {
  return [...Map.groupBy(rows, key)];
}

function numbers(values: readonly (string | number | null | undefined)[]): number[] {
  return values.filter((value): value is number => typeof value === 'number');
}

/** A field of a CSV file as a number, an empty one as no number. */
function field(rows: readonly Strike[], name: string): number[] {
  return rows.map((row) => row[name]!).flatMap((value) => (value === '' ? [] : [Number(value)]));
}

const FLIGHT_QUESTIONS: readonly Question[] = [
  {
    text: 'How many flights are there, how late are they on average, and at the extremes?',
    sql: 'select count(*), avg(delay), min(delay), max(delay) from flights',
    answer: ({ flights }) => {
      const delays = flights.map((flight) => flight.delay);
      return [[flights.length, average(delays), lowest(delays), highest(delays)]];
    },
  },
  {
    text: 'Are long flights late more often? By distance in steps of 500 miles.',
    sql: `select distance / 500 as step, count(*), avg(delay), sum(case when delay > 15 then 1 else 0 end) as late
from flights group by step order by step`,
    answer: ({ flights }) =>
      groups(flights, (flight: Flight) => Math.trunc(flight.distance / 500))
        .map(([step, members]) => {
          const delays = members.map((flight) => flight.delay);
          return [step, members.length, average(delays), delays.filter((delay) => delay > 15).length] as const;
        })
        .sort(by((row) => row[0])),
  },
  {
    text: 'At which hours of the day do flights that leave after noon leave latest?',
    sql: `select time::int as hour, count(*) as n, max(distance) from flights where time >= 12
group by hour having count(*) > 10 order by avg(delay) desc, hour limit 5`,
    answer: ({ flights }) =>
      groups(
        flights.filter((flight) => flight.time >= 12),
        (flight: Flight) => Math.trunc(flight.time),
      )
        .filter(([, members]) => members.length > 10)
        .sort(
          by(
            ([, members]) => descending(average(members.map((flight) => flight.delay))),
            ([hour]) => hour,
          ),
        )
        .slice(0, 5)
        .map(([hour, members]) => [hour, members.length, highest(members.map((flight) => flight.distance))]),
  },
  {
    text: 'How many different distances do flights have that arrive early?',
    sql: 'select count(distinct distance), count(*) from flights where delay < 0',
    answer: ({ flights }) => {
      const early = flights.filter((flight) => flight.delay < 0);
      return [[new Set(early.map((flight) => flight.distance)).size, early.length]];
    },
  },
];

const PLACE_QUESTIONS: readonly Question[] = [
  {
    text: 'Where is 00501? (by key)',
    sql: "select city, county, state, latitude, longitude from zipcodes where zip_code = '00501'",
    answer: ({ zipcodes }) =>
      zipcodes
        .filter((place) => place.zip === '00501')
        .map((place) => [place.city, place.county, place.state, place.latitude, place.longitude]),
  },
  {
    text: 'Which states have the most zip codes, and in how many counties?',
    sql: `select state, count(*) as codes, count(distinct county) as counties from zipcodes
group by state having count(*) >= 50 order by codes desc, state limit 6`,
    answer: ({ zipcodes }) =>
      groups(zipcodes, (place: Place) => place.state)
        .map(([state, places]) => [state, places.length, new Set(places.map((place) => place.county)).size] as const)
        .filter(([, codes]) => codes >= 50)
        .sort(
          by(
            ([, codes]) => descending(codes),
            ([state]) => state,
          ),
        )
        .slice(0, 6),
  },
  {
    text: 'In which states is there a Spring-something-field?',
    sql: "select distinct state from zipcodes where city like 'Spring%field' order by state",
    answer: ({ zipcodes }) =>
      [...new Set(zipcodes.filter((place) => /^Spring.*field$/.test(place.city)).map((place) => place.state))].sort(
        compareValues,
      ),
  },
  {
    text: 'What lies between 41 and 42 degrees north, east of 73 degrees west? The second page of five.',
    sql: `select zip_code, upper(city) || ', ' || state from zipcodes
where latitude between 41 and 42 and longitude > -73 order by zip_code limit 5 offset 5`,
    answer: ({ zipcodes }) =>
      zipcodes
        .filter((place) => place.latitude >= 41 && place.latitude <= 42 && place.longitude > -73)
        .sort(by((place) => place.zip))
        .slice(5, 10)
        .map((place) => [place.zip, `${place.city.toUpperCase()}, ${place.state}`]),
  },
];

function title(movie: Movie): unknown {
  return movie.Title;
}

const MOVIE_QUESTIONS: readonly Question[] = [
  {
    text: 'Which movies took in most? (some titles are numbers: the column is JSON)',
    sql: 'select Title, `Worldwide Gross`, `Release Date` from movies order by `Worldwide Gross` desc, id limit 5',
    answer: ({ movies }) =>
      movies
        .map((movie, id) => ({ movie, id }))
        .sort(
          by(
            ({ movie }) => descending(movie['Worldwide Gross']!),
            ({ id }) => id,
          ),
        )
        .slice(0, 5)
        .map(({ movie }) => [title(movie), movie['Worldwide Gross'], movie['Release Date']]),
  },
  {
    text: 'How does each genre rate? (some movies have no genre, some no rating)',
    sql: `select \`Major Genre\`, count(*), count(\`IMDB Rating\`), avg(\`IMDB Rating\`), max(\`US DVD Sales\`)
from movies group by \`Major Genre\` order by \`Major Genre\``,
    answer: ({ movies }) =>
      groups(movies, (movie: Movie) => movie['Major Genre']!)
        .sort(by(([genre]) => genre))
        .map(([genre, members]) => {
          const ratings = numbers(members.map((movie) => movie['IMDB Rating']));
          const sales = numbers(members.map((movie) => movie['US DVD Sales']));
          return [genre, members.length, ratings.length, average(ratings), highest(sales)];
        }),
  },
  {
    text: 'Which cheap movies earned their budget back most often?',
    sql: `select Title, \`Worldwide Gross\` / \`Production Budget\` as times from movies
where \`Production Budget\` between 10000 and 5000000 and coalesce(\`MPAA Rating\`, 'none') in ('R', 'PG-13', 'none')
order by times desc, id limit 5`,
    answer: ({ movies }) =>
      movies
        .map((movie, id) => {
          const gross = movie['Worldwide Gross'] as number | null;
          const budget = movie['Production Budget'] as number | null;
          const times = gross === null || budget === null ? null : Math.trunc(gross / budget);
          return { movie, id, times, budget };
        })
        .filter(({ budget }) => budget !== null && budget >= 10_000 && budget <= 5_000_000)
        .filter(({ movie }) => ['R', 'PG-13', null].includes(movie['MPAA Rating'] as string | null))
        .sort(
          by(
            ({ times }) => descending(times),
            ({ id }) => id,
          ),
        )
        .slice(0, 5)
        .map(({ movie, times }) => [title(movie), times]),
  },
];

const STRIKE_QUESTIONS: readonly Question[] = [
  {
    text: 'In which phase of a flight do birds do the most damage, and how fast is the aircraft then?',
    sql: `select \`Phase of flight\`, count(*), sum(\`Cost Total $\`) as cost, avg(\`Speed IAS in knots\`) from birdstrikes
group by \`Phase of flight\` order by cost desc, \`Phase of flight\``,
    answer: ({ birdstrikes }) =>
      groups(birdstrikes, (strike: Strike) => strike['Phase of flight']!)
        .map(([phase, members]) => {
          const cost = sum(field(members, 'Cost Total $'));
          return [phase, members.length, cost, average(field(members, 'Speed IAS in knots'))] as const;
        })
        .sort(
          by(
            ([, , cost]) => descending(cost),
            ([phase]) => phase,
          ),
        ),
  },
  {
    text: 'How many strikes are there in each month of the nineties, by day and not?',
    sql: `select extract(month from \`Flight Date\`) as month, count(*), count(*) filter (where \`Time of day\` = 'Day')
from birdstrikes where \`Flight Date\` >= timestamp '1990-01-01' and \`Flight Date\` < timestamp '2000-01-01'
group by month order by month`,
    answer: ({ birdstrikes }) =>
      groups(
        birdstrikes.filter((strike) => strike['Flight Date']!.startsWith('199')),
        (strike: Strike) => Number(strike['Flight Date']!.slice(5, 7)),
      )
        .sort(by(([month]) => month))
        .map(([month, members]) => [
          month,
          members.length,
          members.filter((strike) => strike['Time of day'] === 'Day').length,
        ]),
  },
  {
    text: 'What were the three most expensive strikes?',
    sql: `select \`Flight Date\`, \`Airport Name\`, \`Wildlife Species\`, \`Cost Total $\` from birdstrikes
order by \`Cost Total $\` desc, id limit 3`,
    answer: ({ birdstrikes }) =>
      birdstrikes
        .map((strike, id) => ({ strike, id }))
        .sort(
          by(
            ({ strike }) => descending(Number(strike['Cost Total $'])),
            ({ id }) => id,
          ),
        )
        .slice(0, 3)
        .map(({ strike }) => [
          `${strike['Flight Date']} 00:00:00+00`,
          strike['Airport Name'],
          strike['Wildlife Species'],
          Number(strike['Cost Total $']),
        ]),
  },
];

function magnitude(quake: Quake): number {
  return quake.properties.mag as number;
}

const QUAKE_QUESTIONS: readonly Question[] = [
  {
    text: 'What were the strongest earthquakes of the week, and where?',
    sql: `select id, properties.mag::double as magnitude, properties.place, geometry.coordinates[2]::double
from earthquakes where properties.mag::double >= 4 order by magnitude desc, id limit 5`,
    answer: ({ earthquakes }) =>
      earthquakes
        .filter((quake) => magnitude(quake) >= 4)
        .sort(
          by(
            (quake) => descending(magnitude(quake)),
            (quake) => quake.id,
          ),
        )
        .slice(0, 5)
        .map((quake) => [quake.id, magnitude(quake), quake.properties.place, quake.geometry.coordinates[2]]),
  },
  {
    text: 'How many were felt by anybody, by how many people at most, and when was the last of all?',
    sql: `select count(*), count(properties.felt::int), max(properties.felt::int), max(properties.time::bigint)
from earthquakes`,
    answer: ({ earthquakes }) => {
      const felt = numbers(earthquakes.map((quake) => quake.properties.felt));
      const times = numbers(earthquakes.map((quake) => quake.properties.time));
      return [[earthquakes.length, felt.length, highest(felt), highest(times)]];
    },
  },
  {
    text: 'In which time zones did the earth shake most often?',
    sql: `select properties.tz::int / 60 as hours, count(*) as n, max(properties.mag::double) from earthquakes
group by hours order by n desc, hours limit 4`,
    answer: ({ earthquakes }) =>
      groups(earthquakes, (quake: Quake) => Math.trunc((quake.properties.tz as number) / 60))
        .map(([hours, members]) => [hours, members.length, highest(members.map(magnitude))] as const)
        .sort(
          by(
            ([, n]) => descending(n),
            ([hours]) => hours,
          ),
        )
        .slice(0, 4),
  },
];

export const QUESTIONS: readonly Question[] = [
  ...FLIGHT_QUESTIONS,
  ...PLACE_QUESTIONS,
  ...MOVIE_QUESTIONS,
  ...STRIKE_QUESTIONS,
  ...QUAKE_QUESTIONS,
];
