/** A small quiz to try an exam room with. Answers stay in this browser; nothing is graded. */
(() => {
  const KEPT = `openproctor-sample-exam ${place()}`;
  const questions = [
    {
      ask: 'Which planet of our solar system has the most mass?',
      choices: ['Saturn', 'Jupiter', 'Neptune', 'Earth'],
    },
    {
      ask: 'A train leaves at 9:40 and arrives at 12:15. How long does the journey take?',
      choices: ['2 hours 25 minutes', '2 hours 35 minutes', '3 hours 25 minutes', '3 hours 35 minutes'],
    },
    {
      ask: 'Which of these numbers are prime?',
      hint: 'More than one answer may be right.',
      many: true,
      choices: ['21', '23', '27', '29'],
    },
    {
      ask: 'What is the chemical symbol of iron?',
      text: 'Your answer',
    },
    {
      ask: 'Which river flows through Vienna, Budapest and Belgrade?',
      choices: ['The Rhine', 'The Elbe', 'The Danube', 'The Vistula'],
    },
    {
      ask: 'A shop takes 20 % off a price of 45. What does the customer pay?',
      choices: ['25', '36', '38', '40'],
    },
    {
      ask: 'Which of these are written by William Shakespeare?',
      hint: 'More than one answer may be right.',
      many: true,
      choices: ['Macbeth', 'Faust', 'The Tempest', 'Don Quixote'],
    },
    {
      ask: 'Describe in a few sentences why leaves are green.',
      long: 'Your answer',
    },
  ];

  const root = document.getElementById('quiz');
  let kept = { at: 0, answers: {}, done: false };
  try {
    kept = { ...kept, ...JSON.parse(sessionStorage.getItem(KEPT) ?? '{}') };
  } catch {
    // A broken note from an earlier visit: begin anew.
  }

  /** Another exam in the same tab begins with empty answers. */
  function place() {
    try {
      return parent.location.pathname;
    } catch {
      return 'elsewhere';
    }
  }

  function keep() {
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(kept));
    } catch {
      // Answers then live only as long as this page.
    }
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function answered(index) {
    const answer = kept.answers[index];
    return Array.isArray(answer) ? answer.length > 0 : Boolean(answer);
  }

  function choices(question, index) {
    const group = make('fieldset');
    group.setAttribute('aria-labelledby', 'question');
    question.choices.forEach((choice) => {
      const input = make('input', {
        type: question.many ? 'checkbox' : 'radio',
        name: 'answer',
        value: choice,
        checked: [kept.answers[index]].flat().includes(choice),
      });
      input.addEventListener('change', () => {
        const chosen = [...group.querySelectorAll('input:checked')].map((one) => one.value);
        kept.answers[index] = question.many ? chosen : chosen[0];
        keep();
      });
      group.append(make('label', { className: 'choice' }, input, make('span', { textContent: choice })));
    });
    return group;
  }

  function writing(question, index) {
    const field = question.long ? make('textarea') : make('input', { type: 'text', autocomplete: 'off' });
    field.value = kept.answers[index] ?? '';
    field.setAttribute('aria-labelledby', 'question');
    field.placeholder = question.long ?? question.text;
    field.addEventListener('input', () => {
      kept.answers[index] = field.value;
      keep();
    });
    return field;
  }

  function go(to) {
    kept.at = to;
    keep();
    show();
    document.querySelector('h1').focus();
    scrollTo(0, 0);
  }

  function show() {
    if (kept.done) showThanks();
    else if (kept.at >= questions.length) showReview();
    else showQuestion(kept.at);
  }

  function showQuestion(index) {
    const question = questions[index];
    const back = make('button', { type: 'button', textContent: 'Back' });
    back.addEventListener('click', () => go(index - 1));
    const form = make(
      'form',
      {},
      make('p', { className: 'count', textContent: `Question ${index + 1} of ${questions.length}` }),
      make('progress', { max: questions.length, value: index, ariaLabel: 'Progress' }),
      make('h1', { id: 'question', tabIndex: -1, textContent: question.ask }),
      ...(question.hint ? [make('p', { className: 'hint', textContent: question.hint })] : []),
      question.choices ? choices(question, index) : writing(question, index),
      make(
        'div',
        { className: 'actions' },
        ...(index > 0 ? [back] : []),
        make('button', { className: 'primary', textContent: 'Next' }),
      ),
    );
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      go(index + 1);
    });
    root.replaceChildren(form);
  }

  function showReview() {
    const back = make('button', { type: 'button', textContent: 'Back to the questions' });
    back.addEventListener('click', () => go(questions.length - 1));
    const submit = make('button', { type: 'button', className: 'primary', textContent: 'Submit answers' });
    submit.addEventListener('click', () => {
      kept.done = true;
      go(kept.at);
    });
    root.replaceChildren(
      make('progress', { max: questions.length, value: questions.length, ariaLabel: 'Progress' }),
      make('h1', { tabIndex: -1, textContent: 'Check your answers' }),
      make(
        'ol',
        { className: 'review' },
        ...questions.map((question, index) =>
          make(
            'li',
            {},
            make('span', { textContent: `${index + 1}. ${question.ask}` }),
            make('span', { textContent: answered(index) ? 'Answered' : 'Open' }),
          ),
        ),
      ),
      make('div', { className: 'actions' }, back, submit),
    );
  }

  function showThanks() {
    root.replaceChildren(
      make('h1', { tabIndex: -1, textContent: 'Thank you' }),
      make('p', {
        textContent: 'Your answers have been handed in. Press “Finish” at the top to end the exam.',
      }),
    );
  }

  show();
})();
