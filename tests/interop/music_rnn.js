// Continues a melody by MusicRNN of @magenta/music, taking the likeliest event each
// step, and prints its probabilities as JSON.
//
//   node music_rnn.js NODE_MODULES MODEL_FOLDER STEPS PITCH...
//
// PITCH... are the primer's sixteenths: a MIDI pitch, -2 no event, -1 note off.
const fs = require('fs');
const http = require('http');
const path = require('path');

const [modules, folder, steps, ...events] = process.argv.slice(2);
const {MusicRNN} = require(path.join(modules, '@magenta/music/node/music_rnn'));

function toSequence(melody) {
  const notes = [];
  melody.forEach((event, step) => {
    const last = notes[notes.length - 1];
    if (event !== -2 && last && last.quantizedEndStep === undefined) {
      last.quantizedEndStep = step;
    }
    if (event >= 0) notes.push({pitch: event, quantizedStartStep: step});
  });
  const last = notes[notes.length - 1];
  if (last.quantizedEndStep === undefined) last.quantizedEndStep = melody.length;
  return {
    notes,
    quantizationInfo: {stepsPerQuarter: 4},
    totalQuantizedSteps: melody.length,
  };
}

async function main() {
  const server = http.createServer((request, response) => {
    response.end(fs.readFileSync(path.join(folder, path.basename(request.url))));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  console.log = console.error; // the library tells its progress there
  const model = new MusicRNN(`http://127.0.0.1:${server.address().port}`);
  await model.initialize();
  const {sequence, probs} = await model.continueSequenceAndReturnProbabilities(
      toSequence(events.map(Number)), Number(steps));
  const notes = (await sequence).notes.map(
      (note) => [note.pitch, note.quantizedStartStep, note.quantizedEndStep]);
  process.stdout.write(JSON.stringify(
      {notes, probabilities: probs.map((row) => Array.from(row))}));
  server.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
