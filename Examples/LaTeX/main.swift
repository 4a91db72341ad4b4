// A network writes LaTeX. Does it close what it opens?
import Foundation
import Lesson
import Tarn

let corpus = Lesson.orExit {
  try Lesson.corpus("text/stacks-latex/stacks_slice.tex.gz") { paper(lemmas: 400) }
}
let lesson = Lesson.orExit {
  try WritingLesson(corpus, size: 128, steps: Lesson.amount(3000, quick: 120))
}
let text = try lesson.text(
  Lesson.amount(20_000, quick: 1000), after: "\\begin{lemma}\n", temperature: 0.7)
print("\n\(text.prefix(Lesson.amount(600, quick: 200)))\n")

// Braces, dollars, and environments, each closed by the name it was opened with.
var (braces, dollars, environments) = (Matching(), Matching(), Matching())
braces.add(text, "{", "}")
// A formula stays within its paragraph.
for paragraph in text.split(separator: "\n\n") {
  dollars.add(paragraph.filter { $0 == "$" }.enumerated().map { ("$", $0.offset % 2 == 0) })
}
environments.add(
  text.matches(of: /\\(begin|end)\{([a-z*]+)\}/).map { (String($0.2), $0.1 == "begin") })
for (name, found) in [("braces", braces), ("dollars", dollars), ("environments", environments)] {
  print("\(name): \((100 * found.share).digits(1)) % of \(found.all) are matched")
}

/// Lemmas that say nothing, for want of a paper.
func paper(lemmas: Int) -> String {
  var generator = SeededGenerator(seed: 3)
  func pick(_ words: [String]) -> String { words[generator.integer(below: words.count)] }
  let things = ["scheme", "sheaf", "morphism", "field", "ring", "module"]
  let letters = ["X", "Y", "S", "\\mathcal{F}", "\\mathcal{O}_X", "f", "R", "U"]
  return (1...lemmas).map { number in
    let (thing, letter) = (pick(things), pick(letters))
    return """
      \\begin{lemma}
      \\label{lemma-\(thing)-\(number)}
      Let $\(letter)$ be a \(thing). If $\(letter) \\to \(pick(letters))$ is \(pick(["flat", "finite", "affine"])), \
      then so is $\(pick(letters)) \\times_{\(pick(letters))} \(letter)$.
      \\end{lemma}

      \\begin{proof}
      Omitted. See Lemma \\ref{lemma-\(pick(things))-\(1 + generator.integer(below: number))}.
      \\end{proof}


      """
  }.joined()
}
