/** Every text a candidate reads, in one place. Kind, plain, and never blaming. */
import type { CameraFault } from '../core/checks/camera';
import type { DeviceFault } from '../core/desk';
import type { EntryFault } from '../core/entry';
import type { ShareFault } from '../core/screen';
import type { CheckId } from '../core/types';

interface Said {
  title: string;
  what: string;
}

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

export const words = {
  language: 'en',
  product: 'OpenProctor',
  continue: 'Continue',
  tryAgain: 'Try again',
  close: 'Close',
  loading: 'Opening your exam room…',
  steps: {
    label: 'Steps before the exam',
    progress: (now: number, all: number) => `Step ${now} of ${all}`,
    done: 'done',
    names: {
      consent: 'What is recorded',
      browser: 'Browser',
      camera: 'Camera',
      microphone: 'Microphone',
      notifications: 'Notifications',
      face: 'Your face',
      document: 'Identity document',
      room: 'Your room',
      screen: 'Screen',
      ready: 'Start',
    } satisfies Record<CheckId | 'ready', string>,
  },
  notKept: {
    title: 'That did not reach the server yet',
    what: 'Please check your internet connection. Nothing is lost, and you can go on as soon as the line is back.',
  },
  stepDone: { title: 'This step is done', what: 'You can go on, or try again.' },
  stepDoneBefore: { title: 'An earlier try was good', what: 'You can go on with it, or try again.' },

  asking: {
    title: 'Your browser is asking',
    what: 'Please choose “Allow” in the question at the top of the window.',
  },

  consent: {
    recordedTitle: 'What is recorded',
    byTitle: 'Who receives it',
    keptTitle: 'How long it is kept',
    kept: (days: number) => `${plural(days, 'day', 'days')}, then it is deleted.`,
    choice: 'Nothing is recorded until you agree, and recording itself begins only when you start the exam.',
    agree: 'I agree',
    refuse: 'I do not agree',
    refused: {
      title: 'You have not agreed',
      what: 'That is your right. Nothing was recorded. The exam cannot be taken here without your agreement.',
      next: 'Please speak with the people who invited you; they can offer another way.',
      again: 'Read it again',
    },
  },

  browser: {
    title: 'Checking your browser',
    intro: 'We look at whether this browser can do what the exam needs. This takes a second.',
    again: 'Check again',
    fine: { title: 'Your browser can do everything the exam needs', what: '' },
    broken: {
      title: 'This browser cannot be used for the exam as it is',
      what: 'Please follow the advice in the list, then check again. You can also open your exam link in another browser.',
    },
    ok: 'ready',
    notOk: 'not ready',
    hint: 'note',
    items: {
      secure: {
        name: 'Secure connection',
        bad: 'This page must be opened with an address that begins with https.',
      },
      camera: {
        name: 'Camera and microphone access',
        bad: 'This browser gives pages no access to a camera. Please use a current version of Chrome, Edge, Firefox or Safari.',
      },
      recorder: {
        name: 'Recording',
        bad: 'This browser cannot record video. Please use a current version of Chrome, Edge, Firefox or Safari.',
      },
      screen: {
        name: 'Screen sharing',
        bad: 'This browser cannot share its screen. Phones and tablets cannot do this: please use a computer.',
      },
      surface: {
        name: 'Seeing which screen is shared',
        bad: 'This browser does not tell us whether the whole screen is shared. You can go on; it will be noted as unverified. Chrome, Edge and Safari can tell.',
      },
      storage: {
        name: 'Keeping your recording safe when the line drops',
        bad: 'This window keeps no data, so a dropped line would lose your recording. Please use a normal window, not a private one.',
      },
      line: {
        name: 'Connection to the exam server',
        bad: 'We cannot reach the exam server at the moment. Please check your internet connection.',
      },
    },
  },

  camera: {
    title: 'Let us see your camera',
    intro:
      'Your browser will ask whether this page may use the camera. Please choose “Allow”. Nothing is recorded yet.',
    open: 'Turn on the camera',
    picture: 'Live picture from your camera',
    picker: 'Camera',
    unnamed: (n: number) => `Camera ${n}`,
    testing: { title: 'Looking at the picture…', what: 'This takes about three seconds.' },
    confirming: { title: 'The picture looks good', what: 'Confirming with the exam server…' },
    passed: { title: 'Your camera works', what: '' },
    facts: (width: number, height: number, rate: number) =>
      `${width} × ${height} pixels, ${rate} frames a second`,
    faults: {
      denied: {
        title: 'The camera is not allowed for this page',
        what: 'Click the camera or lock symbol next to the address, set the camera to “Allow”, then try again. On a Mac, also look in System Settings › Privacy & Security › Camera.',
      },
      missing: {
        title: 'No camera was found',
        what: 'Please plug in a camera, or switch it on if your computer has a switch or key for it, then try again.',
      },
      busy: {
        title: 'The camera is being used by another program',
        what: 'Please close other programs that use the camera (a video call, for example), then try again.',
      },
      error: {
        title: 'The camera could not be started',
        what: 'Please unplug it and plug it in again, or restart the browser, then try again.',
      },
      black: {
        title: 'The picture is black',
        what: 'Please open the cover of the camera, switch on a light, or choose another camera.',
      },
      frozen: {
        title: 'The picture does not move',
        what: 'The camera seems to be stuck. Please unplug it and plug it in again, or choose another camera.',
      },
      small: {
        title: 'The picture is too small',
        what: 'This camera gives fewer than 320 × 240 pixels. Please choose another camera.',
      },
      slow: {
        title: 'The picture moves too slowly',
        what: 'Please switch on more light and close other programs, or choose another camera.',
      },
      refused: {
        title: 'The exam server could not confirm the picture',
        what: 'Please make sure that your camera shows a live picture, then try again.',
      },
      unsent: {
        title: 'The test pictures could not be sent',
        what: 'Please check your internet connection, then try again.',
      },
    } satisfies Record<DeviceFault | CameraFault | 'refused' | 'unsent', Said>,
  },

  microphone: {
    title: 'Let us hear your microphone',
    intro:
      'Your browser may ask whether this page may use the microphone. Please choose “Allow”, then read the sentence aloud. Nothing is recorded yet.',
    open: 'Turn on the microphone',
    listen: 'Start listening',
    read: 'Please read aloud, in your normal voice:',
    sentence: '“I am ready for my exam, and my microphone can hear me clearly.”',
    picker: 'Microphone',
    unnamed: (n: number) => `Microphone ${n}`,
    meter: 'Sound level',
    floor: 'Background noise',
    listening: { title: 'Listening…', what: 'Please read the sentence aloud.' },
    hearing: { title: 'We hear you', what: 'Please read on until the end of the sentence.' },
    passed: { title: 'Your microphone works', what: '' },
    faults: {
      denied: {
        title: 'The microphone is not allowed for this page',
        what: 'Click the microphone or lock symbol next to the address, set the microphone to “Allow”, then try again. On a Mac, also look in System Settings › Privacy & Security › Microphone.',
      },
      missing: {
        title: 'No microphone was found',
        what: 'Please plug in a microphone or a headset, then try again.',
      },
      busy: {
        title: 'The microphone is being used by another program',
        what: 'Please close other programs that use the microphone, then try again.',
      },
      error: {
        title: 'The microphone could not be started',
        what: 'Please unplug it and plug it in again, or restart the browser, then try again.',
      },
      silent: {
        title: 'We hear nothing at all',
        what: 'The microphone seems to be muted. Please look for a mute key or switch, or choose another microphone. We go on listening.',
      },
      no_speech: {
        title: 'We have not heard your voice yet',
        what: 'Please come closer and read the sentence aloud, or choose another microphone. A steady noise alone is not enough. We go on listening.',
      },
    } satisfies Record<DeviceFault | 'silent' | 'no_speech', Said>,
  },

  notifications: {
    title: 'May we notify you?',
    intro:
      'If a proctor writes to you while another window is in front, a notification can reach you. Your browser will ask; you decide.',
    required: 'This exam needs notifications to be allowed.',
    optional: 'You can go on without them.',
    ask: 'Ask my browser',
    granted: {
      title: 'Notifications are allowed',
      what: 'They are used only for messages from a proctor during this exam.',
    },
    refused: {
      title: 'Notifications are not allowed',
      what: 'Messages from a proctor will be shown in this window only.',
    },
    blocked: {
      title: 'Notifications are blocked for this page',
      what: 'Messages from a proctor will be shown in this window only.',
    },
    unsupported: {
      title: 'This browser has no notifications',
      what: 'Messages from a proctor will be shown in this window only.',
    },
    needed: 'Click the lock symbol next to the address, set notifications to “Allow”, then try again.',
  },

  still: {
    take: 'Take the picture',
    retake: 'Take it again',
    sending: { title: 'Looking at your picture…', what: 'This takes a moment.' },
    noPicture: {
      title: 'The camera shows no picture',
      what: 'Please look whether it is plugged in and its cover is open, and close other programs that use it, then take the picture again.',
    },
    failedToSend: {
      title: 'The picture could not be sent',
      what: 'Please check your internet connection and take it again.',
    },
    taken: 'The picture that was taken',
  },
  face: {
    title: 'A picture of your face',
    intro:
      'Look straight into the camera with your face inside the oval. Good light from the front helps; please take off hats and sunglasses.',
    passed: { title: 'Your picture is good', what: '' },
    failed: 'The picture needs another try',
  },
  document: {
    title: 'A picture of your identity document',
    intro:
      'Hold the side with your photograph inside the frame, close to the camera. Tilt it a little if it shines.',
    passed: { title: 'The picture of your document is good', what: '' },
    failed: 'The picture needs another try',
  },
  room: {
    title: 'Pictures of your room',
    intro: (count: number) =>
      `Please take ${plural(count, 'picture', 'pictures')} of the place where you sit, each from a different side. Turn your camera or your computer slowly between them.`,
    hints: ['In front of you', 'To your left', 'To your right', 'Your desk', 'Behind you', 'Another side'],
    next: (n: number, all: number, hint: string) => `Picture ${n} of ${all}: ${hint.toLowerCase()}`,
    take: (n: number, all: number) => `Take picture ${n} of ${all}`,
    again: 'Take all pictures again',
    checking: { title: 'Looking at your pictures…', what: 'This takes a moment.' },
    passed: { title: 'The pictures of your room are good', what: '' },
    failed: 'The pictures need another try',
    alt: (n: number) => `Room picture ${n}`,
  },
  screen: {
    title: 'Share your screen',
    whole:
      'Your browser will ask what to share. Please choose “Entire screen”, pick the screen with this page, and press “Share”.',
    any: 'Your browser will ask what to share. Please pick the screen or window in which you take the exam.',
    close: 'Close anything private first: everything on the shared screen is recorded once the exam runs.',
    ask: 'Share my screen',
    again: 'Share my screen again',
    sharing: { title: 'Your screen is shared', what: '' },
    facts: (width: number, height: number) => `${width} × ${height} pixels`,
    unverified: {
      title: 'Your screen is shared, unverified',
      what: 'This browser does not tell us whether the whole screen is shared. This is noted as “unverified”. If you picked a window, please share again and pick the entire screen.',
    },
    stopped: { title: 'Screen sharing has stopped', what: 'Please share your screen again to go on.' },
    faults: {
      refused: {
        title: 'The screen was not shared',
        what: 'Please try again and press “Share” in the browser’s question.',
      },
      window: {
        title: 'A single window was picked',
        what: 'This exam needs the whole screen. Please try again and choose “Entire screen”.',
      },
      browser: {
        title: 'A browser tab was picked',
        what: 'This exam needs the whole screen. Please try again and choose “Entire screen”.',
      },
      unsupported: {
        title: 'This browser cannot share its screen',
        what: 'Please open your exam link on a computer in Chrome, Edge, Firefox or Safari.',
      },
      error: {
        title: 'The screen could not be shared',
        what: 'Please try again. On a Mac, allow screen recording for your browser in System Settings › Privacy & Security.',
      },
    } satisfies Record<ShareFault, Said>,
  },
  ready: {
    title: 'You are ready',
    intro: 'Every step is done. When you start, recording begins and the exam opens on this page.',
    minutes: (minutes: number) =>
      `You have ${plural(minutes, 'minute', 'minutes')}. The time starts when you press the button.`,
    noLimit: 'There is no time limit.',
    fullScreen: 'The page will go to full screen.',
    keep: 'If your line drops, just go on: everything is kept on this computer and sent later.',
    start: 'Start the exam',
    starting: 'Starting…',
    failed: { title: 'The exam could not be started', what: 'Please try again in a moment.' },
    device: {
      title: 'The camera or microphone is not available',
      what: 'Please make sure that both are connected and allowed, then try again.',
    },
  },
  waiting: {
    title: 'Please wait for the exam to open',
    what: 'A proctor will let you in. You need not do anything; this page goes on by itself.',
  },

  exam: {
    bar: 'Exam room',
    recording: 'Recording',
    sources: { camera: 'camera', microphone: 'microphone', screen: 'screen' },
    recordingList: (sources: string[]) => `Recording ${sources.join(', ')}`,
    recordingNothing: 'Nothing is recorded',
    line: {
      online: 'Online',
      reconnecting: 'Reconnecting – your work is kept',
      backlog: (pieces: number) => `Sending ${plural(pieces, 'piece', 'pieces')}`,
    },
    timeLeft: 'Time left',
    minutesLeft: (minutes: number) => `${plural(minutes, 'minute', 'minutes')} left`,
    selfView: 'Self-view',
    selfViewHide: 'Hide self-view',
    selfViewMove: 'Move to the other side',
    help: 'Help',
    finish: 'Finish',
    frame: (title: string) => `Exam: ${title}`,
    elsewhere: {
      title: 'Your exam is on another page',
      what: 'Please work on it where you were told to. Keep this page open: it records until you press “Finish”.',
    },
    lostCamera: {
      title: 'Your camera is not available',
      what: 'Please plug it in again or allow it. Go on with your exam; recording goes on with what is left.',
      act: 'Turn on the camera',
    },
    lostMicrophone: {
      title: 'Your microphone is not available',
      what: 'Please plug it in again or allow it. Go on with your exam; recording goes on with what is left.',
      act: 'Turn on the microphone',
    },
    lostScreen: {
      title: 'Your screen is not shared',
      what: 'Please share it again. No other step has to be repeated.',
      act: 'Share my screen again',
    },
    lostFullScreen: {
      title: 'Please go back to full screen',
      what: 'This exam is taken in full screen.',
      act: 'Full screen',
    },
    storageLow: {
      title: 'Little room is left on this computer',
      what: 'Please free some disk space, or make sure that your internet connection works, so that the recording can be sent.',
    },
    proctor: 'Message from the proctor',
    read: 'I have read it',
    held: {
      title: 'There is no connection at the moment',
      what: 'Your exam is shown again as soon as the connection is back. The recording goes on, and nothing is lost.',
    },
    paused: {
      title: 'The exam is paused',
      what: 'Please stay where you are. It goes on as soon as a proctor resumes it.',
    },
    plate: 'Camera not available',
  },
  help: {
    title: 'Help',
    none: 'If something does not work, you can ask for a proctor here.',
    hand: 'Ask for a proctor',
    handRaised: 'A proctor has been asked to look at your session.',
    write: 'Write to the proctor',
    send: 'Send',
    sent: 'Your message is on its way.',
  },
  finish: {
    title: 'Finish the exam?',
    what: 'Please make sure that you have handed in all your answers. You cannot come back after this.',
    yes: 'Finish now',
    no: 'Keep working',
  },
  finishing: {
    title: 'Sending the rest of your recording',
    timeUp: 'The time is up',
    what: 'Your exam is over. Please keep this page open until everything has been sent.',
    progress: 'Sent so far',
    left: (pieces: number, size: string) => `${plural(pieces, 'piece', 'pieces')} to go (${size})`,
    almost: 'Everything is sent. Waiting for the server to confirm…',
    offline: {
      title: 'The exam server cannot be reached',
      what: 'Everything is kept on this computer and sent as soon as the line is back. Please keep this page open, or open your exam link again later on this computer.',
    },
  },
  ended: {
    completed: { title: 'You have finished', what: 'Everything has arrived. You may close this page.' },
    terminated: {
      title: 'The exam was ended',
      what: 'A proctor has ended the exam. Everything that was recorded has arrived. You may close this page.',
    },
    expired: {
      title: 'This exam is over',
      what: 'The time in which it could be taken has passed. You may close this page.',
    },
    reason: (reason: string) => `Reason given: ${reason}`,
    late: {
      title: 'Some of your recording could not be sent in time',
      what: (pieces: number) =>
        `When the exam was closed, ${plural(pieces, 'piece', 'pieces')} of the recording ${pieces === 1 ? 'was' : 'were'} still waiting on this computer, and the server takes no more now. This is about the recording only; your answers are handed in on the exam’s own page. There is nothing more you need to do. If your exam office asks, please tell them what you read here. You may close this page.`,
    },
    incomplete: {
      title: 'A part of the recording is missing',
      what: 'A piece of the recording could not be sent from this computer. The exam office sees which one. There is nothing more you need to do.',
    },
  },

  faults: {
    invalid: {
      title: 'This link does not work',
      what: 'Please open the link exactly as you received it. If it still does not work, ask the people who invited you for a new one.',
    },
    expired: {
      title: 'This link is no longer valid',
      what: 'Please ask the people who invited you for a new link.',
    },
    elsewhere: {
      title: 'Your exam is open on another device',
      what: 'Please close it there first, then try again here. It can take half a minute until the other device is signed off.',
    },
    over: {
      title: 'This exam is over',
      what: 'It was finished or its time has passed. You may close this page.',
    },
    'no-answer': {
      title: 'The exam server cannot be reached',
      what: 'Please check your internet connection, then try again. Nothing is lost.',
    },
    'no-store': {
      title: 'This window keeps no data',
      what: 'Please open your exam link in a normal window, not a private one, and allow this page to keep data.',
    },
    'no-session': {
      title: 'Please open your exam link',
      what: 'This page can only be opened with the link you received.',
    },
    insecure: {
      title: 'This page needs a secure connection',
      what: 'Please open your exam link with an address that begins with https.',
    },
    'other-tab': {
      title: 'Your exam is already open in another tab',
      what: 'Please go back to that tab. If you cannot find it, you can continue here instead; the other tab then stops.',
    },
    other: { title: 'The exam room could not be opened', what: 'Please try again in a moment.' },
  } satisfies Record<EntryFault, Said>,
  continueHere: 'Continue here',
  replaced: {
    title: 'Your exam is open in another window',
    what: 'It goes on there, and this window no longer records. You can also continue here; the other window then stops.',
  },
  lockedOut: {
    title: 'Your exam goes on in another tab',
    what: 'This tab no longer records. You can close it.',
  },
  signedOut: {
    title: 'Please open your exam link again',
    what: 'This page is no longer signed in. Everything is kept on this computer.',
  },
} as const;
