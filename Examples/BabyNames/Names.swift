/// Used if no list is given.
let names = """
  ada adam agnes alan albert alice amelia amy andrew angela anna anthony arthur barbara beatrice benjamin bernard bertha \
  brian bridget bruce carl carla carol catherine cecil charles charlotte chloe christine clara claire colin cynthia daniel \
  david deborah denise diana donald doris dorothy douglas duncan edgar edith edward eileen eleanor elizabeth ellen elsie \
  emily emma eric erica ernest esther ethel eugene eva evelyn felix fiona flora florence frances frank freda gareth gemma \
  geoffrey george gerald gertrude gilbert gladys gloria gordon grace graham gregory gwen hannah harold harriet harry \
  heather helen henry herbert hilda howard hugh ian ida irene iris isaac isabel ivan ivy jack jacob james jane janet jasper \
  jean jennifer jeremy jessica joan joanna john jonathan joseph joyce judith julia julian june karen kathleen keith kenneth \
  kevin laura lawrence leah leonard leslie lewis lilian linda lionel louise lucy lydia malcolm margaret maria marion martha \
  martin mary matilda matthew maureen michael mildred miriam monica muriel nancy naomi nathan neil nicholas nina nora norman \
  oliver olivia oscar oswald pamela patricia paul pauline peter philip phoebe phyllis rachel ralph raymond rebecca richard \
  robert robin roger roland ronald rosalind rose ruby rupert ruth samuel sandra sarah sean sharon sheila shirley simon \
  sophie stanley stella stephen stuart susan sylvia teresa theodore thomas timothy trevor una ursula valerie vera victor \
  vincent viola violet walter wendy wilfred william winifred zoe
  """.split(separator: " ").map(String.init)
