/// Something about the place in a text that a cell may keep track of: a number after each character.
public struct TextFeature: Sendable {
  public let name: String
  private let make: @Sendable ([Unicode.Scalar]) -> [Double]

  /// - Parameter values: for a text, a number for each of its characters: what holds after it was read.
  public init(_ name: String, values: @escaping @Sendable ([Unicode.Scalar]) -> [Double]) {
    (self.name, make) = (name, values)
  }

  /// Its value after each character.
  public func values(in text: [Unicode.Scalar]) -> [Double] { make(text) }

  /// Those that are looked for: quotations, brackets and their depth, indentation, the place in a line and in a word, links, comments.
  public static let all: [TextFeature] = [
    between("\"", "\"", "inside quotes"), between("“", "”", "inside “quotes”"),
    between("'", "'", "inside 'single quotes'", most: 80), between("(", ")", "inside parentheses"),
    between("[", "]", "inside brackets"), between("{", "}", "inside braces"),
    TextFeature("inside [[ ]]") { inside($0, "[[", "]]").map { $0 > 0 ? 1 : 0 } },
    TextFeature("place in [[ ]]") { inside($0, "[[", "]]") },
    between("$", "$", "inside $ $", most: 400), depth, indentation, place, lineLength,
    TextFeature("place in a word") { run(of: { $0.properties.isAlphabetic }, $0) },
    TextFeature("inside a URL") { links($0).map { $0 > 0 ? 1 : 0 } },
    TextFeature("place in a URL") { links($0) },
    TextFeature("inside a comment") { comments($0) },
    TextFeature("in capitals") { run(of: { $0.properties.isUppercase }, $0).map { min($0, 3) } },
    TextFeature("in a number") {
      run(of: { ("0"..."9").contains($0) }, $0).map { $0 > 0 ? 1 : 0 }
    },
    TextFeature("since the sentence began") { text in
      since(text) { ".!?".unicodeScalars.contains($0) }
    },
    TextFeature("at the start of a word") { $0.map { $0 == " " || $0 == "\n" ? 1 : 0 } },
    TextFeature("after a vowel") { $0.map { "aeiouAEIOU".unicodeScalars.contains($0) ? 1 : 0 } },
    TextFeature("in the first word of a line") { text in
      var isFirst = true
      return text.map { scalar in
        if scalar == "\n" { isFirst = true } else if scalar == " " { isFirst = false }
        return isFirst ? 1 : 0
      }
    },
  ]

  /// 1 between two marks. An opening one without its partner within `most` characters counts for nothing.
  private static func between(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, _ name: String, most: Int = 2000
  ) -> TextFeature {
    TextFeature(name) { text in
      var values = [Double](repeating: 0, count: text.count)
      var start: Int?
      for (index, scalar) in text.enumerated() {
        if let begun = start, scalar == close {
          if index - begun <= most { for place in begun..<index { values[place] = 1 } }
          start = nil
        } else if start == nil && scalar == open {
          start = index
        }
      }
      return values
    }
  }

  /// How many characters of what stands between two pairs of marks have been read; 0 outside.
  private static func inside(
    _ text: [Unicode.Scalar], _ open: String, _ close: String
  ) -> [Double] {
    let (open, close) = (Array(open.unicodeScalars), Array(close.unicodeScalars))
    var place = 0.0
    return text.indices.map { index in
      if ends(text, index, with: close) {
        place = 0
      } else if place > 0 || ends(text, index, with: open) {
        place += 1
      }
      return place
    }
  }

  private static func ends(
    _ text: [Unicode.Scalar], _ index: Int, with mark: [Unicode.Scalar]
  ) -> Bool {
    index + 1 >= mark.count && text[(index + 1 - mark.count)...index].elementsEqual(mark)
  }

  /// Brackets of all kinds that are open.
  private static var depth: TextFeature {
    TextFeature("bracket depth") { text in
      var depth = 0.0
      return text.map { scalar in
        if "([{".unicodeScalars.contains(scalar) { depth = min(depth + 1, 12) }
        if ")]}".unicodeScalars.contains(scalar) { depth = max(0, depth - 1) }
        return depth
      }
    }
  }

  /// Columns that the line is indented by; a tab counts as 4.
  private static var indentation: TextFeature {
    TextFeature("indentation") { text in
      var (columns, isLeading) = (0.0, true)
      return text.map { scalar in
        if scalar == "\n" {
          (columns, isLeading) = (0, true)
        } else if isLeading && (scalar == " " || scalar == "\t") {
          columns += scalar == "\t" ? 4 : 1
        } else {
          isLeading = false
        }
        return min(columns, 60)
      }
    }
  }

  /// Characters since the line began.
  private static var place: TextFeature {
    TextFeature("place in the line") { text in since(text) { $0 == "\n" }.map { min($0, 200) } }
  }

  /// As ``place`` where lines are of very different lengths: its logarithm would be too steep, its root is not.
  private static var lineLength: TextFeature {
    TextFeature("root of the place in the line") { text in
      since(text) { $0 == "\n" }.map { min($0, 400).squareRoot() }
    }
  }

  private static func since(
    _ text: [Unicode.Scalar], _ isStart: (Unicode.Scalar) -> Bool
  ) -> [Double] {
    var count = 0.0
    return text.map { scalar in
      count = isStart(scalar) ? 0 : count + 1
      return count
    }
  }

  private static func run(
    of isIn: (Unicode.Scalar) -> Bool, _ text: [Unicode.Scalar]
  ) -> [Double] {
    var count = 0.0
    return text.map { scalar in
      count = isIn(scalar) ? count + 1 : 0
      return count
    }
  }

  /// Characters of a link so far: from `http` or `www` to white space or a closing mark.
  private static func links(_ text: [Unicode.Scalar]) -> [Double] {
    let starts = ["http", "www."].map { Array($0.unicodeScalars) }
    var place = 0.0
    return text.indices.map { index in
      let scalar = text[index]
      if scalar.properties.isWhitespace || "<>\"]})".unicodeScalars.contains(scalar) {
        place = 0
      } else if place > 0 {
        place += 1
      } else if let start = starts.first(where: { ends(text, index, with: $0) }) {
        place = Double(start.count)
      }
      return place
    }
  }

  /// 1 in comments of C (`/* */`, `//`), and to the end of the line after `%` or `#` that begins it.
  private static func comments(_ text: [Unicode.Scalar]) -> [Double] {
    var (isBlock, isLine, isLeading) = (false, false, true)
    let (open, close) = (Array("/*".unicodeScalars), Array("*/".unicodeScalars))
    let line = Array("//".unicodeScalars)
    return text.indices.map { index in
      let scalar = text[index]
      if scalar == "\n" { (isLine, isLeading) = (false, true) }
      if isBlock {
        if ends(text, index, with: close) { isBlock = false }
      } else if !isLine {
        if ends(text, index, with: open) { isBlock = true }
        isLine = ends(text, index, with: line) || isLeading && (scalar == "%" || scalar == "#")
      }
      if !scalar.properties.isWhitespace { isLeading = false }
      return isBlock || isLine ? 1 : 0
    }
  }
}
