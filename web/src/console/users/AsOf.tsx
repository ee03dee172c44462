import '@mantine/dates/styles.css';
import { Alert, Stack } from '@mantine/core';
import { DatePickerInput } from '@mantine/dates';
import { IconCalendar } from '@tabler/icons-react';
import { useRef } from 'react';
import { formatDay } from '../ui/When';
import classes from './AsOf.module.css';
import { endOf } from './day';

const LABELS = {
  previousMonth: 'The month before',
  nextMonth: 'The month after',
  previousYear: 'The year before',
  nextYear: 'The year after',
  previousDecade: 'The decade before',
  nextDecade: 'The decade after',
};

const CLASSES = {
  weekday: classes.weekday,
  day: classes.day,
  calendarHeaderLevel: classes.level,
  monthsListControl: classes.period,
  yearsListControl: classes.period,
};

interface Props {
  /** `2026-01-31`, or nothing for today. */
  day: string | null;
  onChange: (day: string | null) => void;
}

/** Chooses the day whose state is shown. */
export default function AsOf({ day, onChange }: Props) {
  const button = useRef<HTMLButtonElement>(null);

  function choose(next: string | null) {
    onChange(next);
    // The day that was chosen goes with the calendar, and the way back to today with the day.
    button.current?.focus();
  }

  return (
    <Stack my="md" gap="xs">
      <DatePickerInput
        ref={button}
        label="As of"
        // The label alone would hide the day, which is all that the button holds.
        aria-label={`As of ${day ? formatDay(noonOf(day)) : 'today'}`}
        placeholder="Today"
        value={day}
        onChange={choose}
        maxDate={new Date()}
        hideOutsideDates
        weekendDays={[]}
        ariaLabels={LABELS}
        classNames={CLASSES}
        popoverProps={{ classNames: { dropdown: classes.calendar } }}
        clearable
        clearButtonProps={{ 'aria-label': 'Back to today' }}
        leftSection={<IconCalendar size={16} aria-hidden />}
        valueFormatter={({ date }) => (typeof date === 'string' ? formatDay(noonOf(date)) : '')}
        maw={260}
      />
      {day && endOf(day) && (
        <Alert role="status" py="xs">
          This is what they could use at the end of {formatDay(noonOf(day))}.
        </Alert>
      )}
    </Stack>
  );
}

const noonOf = (day: string) => new Date(`${day}T12:00`);
