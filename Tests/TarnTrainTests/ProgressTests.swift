import Testing

import TarnTrain

@Suite struct ProgressTests {
  private let progress = ProgressState(
    title: "epoch 3/20", done: 300, total: 600, elapsed: 30, unit: "image", unitsPerStep: 128,
    figures: [("loss", 0.24172), ("accuracy", 0.931)])

  @Test func aLineTellsAll() {
    #expect(
      progress.line(width: 120)
        == "epoch 3/20  ━━━━━━━━━━──────────  50 % 300/600  1280 images/s  0:30 left"
        + "  loss 0.2417  accuracy 0.931")
  }

  @Test func narrowTerminalsGetLess() {
    for width in 0...130 { #expect(progress.line(width: width).count <= width) }
    #expect(progress.line(width: 60).contains("loss 0.2417"))
    #expect(progress.line(width: 40) == "epoch 3/20   50 % 300/600  0:30 left")
    #expect(progress.line(width: 5) == "epoc…")
  }

  @Test func resumedStepsDoNotCountAsSpeed() {
    let resumed = ProgressState(title: "", done: 110, total: 120, elapsed: 5, start: 100)
    #expect(resumed.stepsPerSecond == 2)
    #expect(resumed.secondsLeft == 5)
    #expect(ProgressState(title: "", done: 100, start: 100).stepsPerSecond == nil)
  }

  @Test func withoutATotalItCounts() {
    let line = ProgressState(title: "reading", done: 1, elapsed: 2).line(width: 80)
    #expect(line == "reading  1 step  0.5 steps/s  0:02")
  }

  @Test(arguments: [
    (0.0, "0:00"), (6.2, "0:07"), (750, "12:30"), (11_100, "3:05:00"), (187_200, "2 d 4 h"),
    (.infinity, "∞"), (.nan, "∞"), (-3, "0:00"),
  ])
  func durations(seconds: Double, text: String) {
    #expect(ProgressState.duration(seconds) == text)
  }

  @Test func doneWorkShowsItsTime() {
    let line = ProgressState(title: "t", done: 4, total: 4, elapsed: 61).line(width: 80)
    #expect(line.contains("100 % 4/4") && line.hasSuffix("1:01"))
  }
}
