// One to many: a picture of a digit goes in, its name comes out letter by letter.
import Lesson
import Tarn

let words = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
let alphabet = Alphabet(of: words)
/// [10, 6]: each word and its end.
let spelling = alphabet.tensor(words, length: 6).evaluate()

/// What is seen is the state from which the letters are said.
struct Speller: Module {
  var see = Linear(64, 64)
  var rnn: GRU
  var say: Linear

  init(letters: Int) {
    rnn = GRU(letters, 64, batchFirst: true)
    say = Linear(64, letters)
  }

  /// Pictures [n, 1, 8, 8] and letters so far [n, steps] → logits of the next [n, steps, letters].
  func callAsFunction(_ pictures: Tensor, _ letters: Tensor) -> Tensor {
    let state = see(pictures.reshaped(-1, 64)).tanh().expandedDims(0)
    return say(rnn(letters.oneHot(say.weight.shape[0]), from: state).output)
  }
}

/// Each letter is to be told from the picture and the letters before it.
struct Spelling: TrainingTask {
  let words: Tensor

  func count(_ batch: Batch) -> Int { batch.count }

  func output(_ model: Speller, _ batch: Batch) -> Tensor {
    model(batch.features, words.take(batch.labels).shifted)
  }

  func loss(_ logits: Tensor, _ batch: Batch) -> Tensor {
    crossEntropy(logits.flattened(from: 0, to: 1), words.take(batch.labels).reshaped(-1))
  }
}

let (train, test) = Digits.split(seed: 1)
var model = Initialization.seeded(1) { Speller(letters: alphabet.count) }
var options = TrainingOptions()
options.epochs = Lesson.amount(20, quick: 4)
options.learningRate = 4e-3
let history = try fit(
  &model, Spelling(words: spelling), train: train, validation: test, options: options)
print("loss a letter on unseen digits \(history.values("validation_loss").map { $0.digits(3) })")

// Now without being told: each letter said is what the next is said after.
let pictures = try test.all()
var said = Tensor.full([pictures.count, 1], Alphabet.start, dtype: .int64)
for _ in 0..<6 {
  let next = model(pictures.features, said)[.all, said.shape[1] - 1].argMax(axis: -1)
  said = Tensor.concatenated([said, next.expandedDims(1)], axis: 1).evaluate()
}
let answers = said.rows.map { alphabet.word($0.dropFirst()) }
let actual = pictures.labels.array(of: Int.self).map { words[$0] }
let right = zip(answers, actual).count { $0 == $1 }
print("\(right) of \(answers.count) unseen digits are named rightly")
for (answer, word) in zip(answers, actual).prefix(8) { print("  \(word): \(answer)") }
