// A network learns to write like Shakespeare, letter by letter. It is told nothing of words.
import Foundation
import Lesson
import Tarn

let corpus = Lesson.orExit {
  try Lesson.corpus("text/tinyshakespeare/input.txt") { sonnets }
}
let lesson = Lesson.orExit {
  try WritingLesson(corpus, size: 128, steps: Lesson.amount(2000, quick: 100))
}

// The lower the temperature, the safer the choice of each letter.
for temperature in [0.3, 0.7, 1] {
  print("\n── temperature \(temperature.digits(1)) ──")
  print(try lesson.text(Lesson.amount(400, quick: 120), after: "The ", temperature: temperature))
}
